-- Publishes one request (one event or a batch) atomically: ids, logs, index and messages, or nothing at all.
--
-- KEYS: 1 state, 2 index (sorted set topic -> packed last id), 3 once (this request's nonce or idempotency key), 4.. logs
-- ARGV: 1 last id that this publisher got acknowledged, or ''
--       2 digest of the request, 3 seconds to remember the request
--       4 history_size, 5 history_seconds, 6 most topics that the index holds
--       7 PUBLISH or SPUBLISH, 8 number of events; then for each event:
--         head (the message up to its id), middle (from its id to its topic's previous id), tail, number of topics;
--         then for each topic: number of its log in KEYS, topic, channel
-- Answers: {'new'|'again', id, id, …}, or the error MISMATCH when the key was used for another request.

local once = redis.call('GET', KEYS[3])
if once then
	local words = {}
	for word in string.gmatch(once, '%S+') do
		words[#words + 1] = word
	end
	if words[1] ~= ARGV[2] then
		return redis.error_reply('MISMATCH the key was used for another request')
	end
	words[1] = 'again'
	return words
end

local history_size, history_seconds, index_size = tonumber(ARGV[4]), ARGV[5], tonumber(ARGV[6])
local send, count = ARGV[7], tonumber(ARGV[8])

local function denied(command, key, ...)
	if not redis.acl_check_cmd(command, key, ...) then
		return redis.error_reply('NOPERM no permission for ' .. command .. ' ' .. key)
	end
end

-- Packed id of the newest entry of a log, 0 when there is none; then the reason, if any, why
-- no entry can follow.
local function examine(log)
	if history_size == 0 then
		return 0
	end
	local kind = redis.call('TYPE', log).ok
	if kind ~= 'stream' and kind ~= 'none' then
		return 0, redis.error_reply('WRONGTYPE ' .. log .. ' is a ' .. kind)
	end
	local entry = kind == 'stream' and redis.call('XREVRANGE', log, '+', '-', 'COUNT', 1)[1]
	return entry and pack(entry[1]) or 0, denied('XADD', log, '*', 'm', '') or denied('EXPIRE', log, 1)
end

-- Whatever can fail fails here, before the first write: a script is not rolled back.
local prevs, newest = {}, 0
local refusal = denied('HSET', KEYS[1], 'last', '') or denied('SET', KEYS[3], '') or
	denied('ZADD', KEYS[2], 0, '') or denied('ZCARD', KEYS[2]) or denied('ZPOPMIN', KEYS[2])
local at = 9
for _ = 1, count do
	local topics = tonumber(ARGV[at + 3])
	for i = at + 4, at + 3 + topics * 3, 3 do
		local log, topic, channel = KEYS[tonumber(ARGV[i])], ARGV[i + 1], ARGV[i + 2]
		if not prevs[topic] then
			local in_log, reason = examine(log)
			refusal = refusal or reason or denied(send, channel, '')
			if refusal then
				return refusal
			end
			newest = math.max(newest, in_log)
			prevs[topic] = tonumber(redis.call('ZSCORE', KEYS[2], topic) or 0)
		end
	end
	at = at + 4 + topics * 3
end

-- The next id is above the clock, the stored last id, whatever this publisher was promised, and what the logs hold
-- (a state that was deleted alone would else let XADD fail half-way).
local last = stored_last()
local known = math.max(newest, ARGV[1] ~= '' and pack(ARGV[1]) or 0)
local id = math.max((last or 0) + 1, known + 1, clock())
if not last or last < known then
	mark_lost(id)
end

local function append(log, topic, channel, event)
	local text = unpack_id(id)
	local message = event.head .. text .. event.middle .. unpack_id(prevs[topic]) .. event.tail
	if history_size > 0 then
		redis.call('XADD', log, 'MAXLEN', history_size, text, 'm', message)
		redis.call('EXPIRE', log, history_seconds)
	end
	redis.call('ZADD', KEYS[2], string.format('%.0f', id), topic)
	redis.call(send, channel, message)
	prevs[topic] = id
end

local answer, kept = {'new'}, ARGV[2]
at = 9
for _ = 1, count do
	local event = {head = ARGV[at], middle = ARGV[at + 1], tail = ARGV[at + 2]}
	local topics = tonumber(ARGV[at + 3])
	for i = at + 4, at + 3 + topics * 3, 3 do
		append(KEYS[tonumber(ARGV[i])], ARGV[i + 1], ARGV[i + 2], event)
	end
	at = at + 4 + topics * 3
	answer[#answer + 1] = unpack_id(id)
	kept = kept .. ' ' .. unpack_id(id)
	id = id + 1
end
redis.call('HSET', KEYS[1], 'last', unpack_id(id - 1))
redis.call('SET', KEYS[3], kept, 'EX', ARGV[3])

-- The index stays bounded; below its floor it can't tell a quiet topic from one with news.
local excess = redis.call('ZCARD', KEYS[2]) - index_size
if excess > 0 then
	local popped = redis.call('ZPOPMIN', KEYS[2], excess)
	redis.call('HSET', KEYS[1], 'floor', unpack_id(tonumber(popped[#popped])))
end
return answer
