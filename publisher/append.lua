-- Publishes one request (one event or a batch) atomically: ids, logs, index and messages, or nothing at all.
--
-- KEYS: 1 state, 2 index (sorted set topic -> packed last id), 3 once (an idempotency key, or the publisher's own),
--       4 rate (without a limit, any of the others), 5.. the log of each copy of each event, in the order of ARGV
-- ARGV: 1 last id that this publisher got acknowledged, or ''
--       2 what the request is known by under KEYS[3]: with an idempotency key the digest of the request, else #N for
--         the N-th request of this publisher; 3 seconds to remember it
--       4 history_size, 5 history_seconds, 6 most topics that the index holds, 7 seconds that it knows a quiet one
--       8 rate_limit_per_second, 9 PUBLISH or SPUBLISH, 10 the server that is asked, 11 the one that ARGV[1] is from
--         ('' and '' where there is but one), 12 replicas that are waited for when this is answered, 13 number of events;
--         then for each event: head (the message up to its id), middle (from its id to its topic's previous id), tail,
--         number of topics; then for each topic: topic, channel
-- Answers: {'new'|'again', id, id, …}; {'limited', milliseconds to wait}; or an error: MISMATCH when the key was used
--          for another request, STALE when a later request of this publisher was there first.
--
-- It runs for each request, so it is written to be cheap: few commands, and settings stay the texts that they came as.

local call, may = redis.call, redis.acl_check_cmd
local state, index = KEYS[1], KEYS[2]
local FIRST_EVENT, FIRST_LOG = 14, 5
local MOST_FORGOTTEN = 100 -- quiet topics that one call drops from the index

-- ---- was it here before? ----

-- Of a publisher's own requests only the latest is remembered: it has one under way at a time, and repeats no other.
-- WAIT waits for what its connection wrote, so who asks again has to write something.
local once = call('GET', KEYS[3])
if once then
	local known_as = string.match(once, '^%S+')
	if known_as == ARGV[2] then
		local words = {}
		for word in string.gmatch(once, '%S+') do
			words[#words + 1] = word
		end
		words[1] = 'again'
		if ARGV[12] ~= '0' then
			call('EXPIRE', KEYS[3], ARGV[3])
		end
		return words
	elseif string.sub(ARGV[2], 1, 1) ~= '#' then
		return redis.error_reply('MISMATCH the key was used for another request')
	elseif tonumber(string.sub(known_as, 2)) > tonumber(string.sub(ARGV[2], 2)) then
		return redis.error_reply('STALE a later request of this publisher was there first')
	end
end

-- ---- whatever can fail fails here, before the first write: a script is not rolled back ----

local history_size, history_seconds, with_log = ARGV[4], ARGV[5], ARGV[4] ~= '0'
local limit, send, server, count = ARGV[8], ARGV[9], ARGV[10], tonumber(ARGV[13])

local function denied(command, key)
	return redis.error_reply('NOPERM no permission for ' .. command .. ' ' .. key)
end

if not may('HSET', state, 'last', '') then
	return denied('HSET', state)
elseif not may('SET', KEYS[3], '') then
	return denied('SET', KEYS[3])
elseif not may('ZADD', index, '0', '') then
	return denied('ZADD', index)
end

-- Of each topic its last id, as text for `prev`; the highest of them, packed; and whether the index is without one.
local lasts, newest, fresh = {}, 0, false

-- A topic that the index does not know may have had events up to the floor: `prev` must not say that there were none.
local floor_known
local function floor()
	if not floor_known then
		local id = call('HGET', state, 'floor')
		floor_known = id and pack(id) or 0
	end
	return floor_known
end

-- The index knows the newest entry of each log, unless it has dropped the topic; XLEN refuses what is no log.
local function examine_log(log, score)
	if call('XLEN', log) > 0 and not score then
		newest = math.max(newest, pack(call('XREVRANGE', log, '+', '-', 'COUNT', '1')[1][1]))
	end
	if not may('XADD', log, '*', 'm', '') then
		return denied('XADD', log)
	elseif not may('EXPIRE', log, '1') then
		return denied('EXPIRE', log)
	end
end

local at, copy = FIRST_EVENT, FIRST_LOG
for _ = 1, count do
	local past = at + 4 + 2 * ARGV[at + 3]
	for i = at + 4, past - 1, 2 do
		local topic, channel = ARGV[i], ARGV[i + 1]
		if not lasts[topic] then
			local score = call('ZSCORE', index, topic)
			local refusal = with_log and examine_log(KEYS[copy], score)
			if refusal then
				return refusal
			elseif not may(send, channel, '') then
				return denied(send, channel)
			end
			local last = tonumber(score or floor())
			lasts[topic] = unpack_id(last)
			newest = math.max(newest, last)
			fresh = fresh or not score
		end
		copy = copy + 1
	end
	at = past
end

-- The next id is above the clock, the stored last id, whatever this publisher was promised, and what the logs hold
-- (a state that was deleted alone would else let XADD fail half-way).
local last = stored_last()
local known = math.max(newest, ARGV[1] ~= '' and pack(ARGV[1]) or 0)
local id = math.max((last or 0) + 1, known + 1, clock())
local replaced, failed = new_server(server)
if failed then
	id = math.max(id, clock() + AHEAD)
end

-- How many topics are quiet for so long that the index may forget them: looked at with the first event of a second.
local quiet = 0
if not last or math.floor(id / (1000 * N)) > math.floor(last / (1000 * N)) then
	local limit_id = string.format('(%.0f', id - ARGV[7] * 1000 * N)
	quiet = math.min(MOST_FORGOTTEN, call('ZCOUNT', index, '-inf', limit_id))
end
if fresh or quiet > 0 then
	if not may('ZCARD', index) then
		return denied('ZCARD', index)
	elseif not may('ZPOPMIN', index) then
		return denied('ZPOPMIN', index)
	end
end

local wait, paid, now
if limit ~= '0' then
	wait, paid, now = rate_ask(KEYS[4], limit, count)
	if wait then
		return {'limited', wait}
	elseif not may('SET', KEYS[4], '') then
		return denied('SET', KEYS[4])
	end
end

-- ---- nothing below can fail ----

-- Below its floor the index can't tell a quiet topic from one with news.
local function forget(topics)
	local popped = call('ZPOPMIN', index, topics)
	call('HSET', state, 'floor', unpack_id(tonumber(popped[#popped])))
end

if not last or failed or last < known or (ARGV[1] ~= '' and was_split(pack(ARGV[1]), ARGV[11], server)) then
	mark_lost(id, server)
end
if replaced then
	go_on(server, last, failed)
end
if quiet > 0 then
	forget(quiet)
end

local answer, kept, text = {'new'}, ARGV[2], nil
at, copy = FIRST_EVENT, FIRST_LOG
for k = 1, count do
	local head, middle, tail = ARGV[at], ARGV[at + 1], ARGV[at + 2]
	local past = at + 4 + 2 * ARGV[at + 3]
	text = unpack_id(id)
	for i = at + 4, past - 1, 2 do
		local topic = ARGV[i]
		local message = head .. text .. middle .. lasts[topic] .. tail
		if with_log then
			call('XADD', KEYS[copy], 'MAXLEN', history_size, text, 'm', message)
			call('EXPIRE', KEYS[copy], history_seconds)
		end
		call('ZADD', index, id, topic)
		call(send, ARGV[i + 1], message)
		lasts[topic] = text
		copy = copy + 1
	end
	answer[k + 1] = text
	kept = kept .. ' ' .. text
	id = id + 1
	at = past
end
call('HSET', state, 'last', text)
call('SET', KEYS[3], kept, 'EX', ARGV[3])
if limit ~= '0' then
	rate_pay(KEYS[4], paid, now)
end
if fresh then
	local excess = call('ZCARD', index) - ARGV[6]
	if excess > 0 then
		forget(excess)
	end
end
return answer
