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

-- Whatever can fail fails here, before the first write: a script is not rolled back.
local at = 9
for _ = 1, count do
	local topics = tonumber(ARGV[at + 3])
	for i = at + 4, at + 3 + topics * 3, 3 do
		if not redis.acl_check_cmd(send, ARGV[i + 2], '') then
			return redis.error_reply('NOPERM no permission to publish to channel ' .. ARGV[i + 2])
		end
		local kind = redis.call('TYPE', KEYS[tonumber(ARGV[i])]).ok
		if kind ~= 'stream' and kind ~= 'none' then
			return redis.error_reply('WRONGTYPE ' .. KEYS[tonumber(ARGV[i])] .. ' is a ' .. kind)
		end
	end
	at = at + 4 + topics * 3
end

-- The next id is above the clock, the stored last id and whatever this publisher was promised before.
local last, acknowledged = stored_last(), ARGV[1] ~= '' and pack(ARGV[1]) or 0
local id = math.max((last or 0) + 1, acknowledged + 1, clock())
if not last or last < acknowledged then
	mark_lost(id)
end

local function append(log, topic, channel, event)
	local packed_prev = redis.call('ZSCORE', KEYS[2], topic)
	local prev = packed_prev and unpack_id(tonumber(packed_prev)) or '0-0'
	local text = unpack_id(id)
	local message = event.head .. text .. event.middle .. prev .. event.tail
	if history_size > 0 then
		redis.call('XADD', log, 'MAXLEN', history_size, text, 'm', message)
		redis.call('EXPIRE', log, history_seconds)
	end
	redis.call('ZADD', KEYS[2], string.format('%.0f', id), topic)
	redis.call(send, channel, message)
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
