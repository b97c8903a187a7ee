#!lua flags=allow-oom
-- Takes a position, and reads from the logs what lies between older positions and it; all of one moment.
--
-- The position: the stored last id is raised to max(last, clock) and answered. No later id is at or below it, which
-- reading the clock alone could not promise (events of that same millisecond would be lost).
--
-- allow-oom: all that is written is a field or two of one hash; a Redis whose memory is full can still be listened to.
--
-- KEYS: 1 state, 2 index, 3 log of the topic of ARGV[2], 4 revocations (control.lua of the publisher), 5.. logs
-- ARGV: 1 highest id that the asker knows of, or ''; 2, 3 topic and id of the newest event that it heard, or '', ''
--       4 entries of one log in one answer, 5 bytes of one answer, 6 the server that is asked, 7 the one that ARGV[1] is
--       from ('' and '' where there is but one), 8 '1' when the revocations in force are wanted; then for each log:
--       topic, position to read from
-- Answers: {position, last id as it was stored before, mark, '1' when everything up to the position is here,
--           the id that everything is here up to,
--           {number of a log from 0, its topic's last id, …} of those with news,
--           {id, number of its log, message, …} in the order of ids; of a message that is that of the entry
--           before, but for the previous id of its topic, this id alone,
--           floor, {revocation, milliseconds that it is still in force, …} where these are wanted}

local ENTRY_COST = 512 -- what an entry costs beside its message

local FIRST_LOG = 9

local last = stored_last()
local at = math.max(last or 0, clock())
local known = ARGV[1] ~= '' and pack(ARGV[1]) or 0
local replaced, failed = new_server(ARGV[6])

-- What an entry says about the id of its topic's event before it, or nil.
local function previous(id, message)
	local intro = '"id":"' .. id .. '","prev":"'
	local _, stop = string.find(message, intro, 1, true)
	return stop and string.match(message, '^%d+%-%d+', stop + 1)
end

-- True when this Redis cannot have kept the event that a listener has heard: its topic's last id is older, or the
-- log goes on behind that event as if it had not been.
local function forgotten(log, topic, id)
	local score = tonumber(redis.call('ZSCORE', KEYS[2], topic) or 0)
	local floor = redis.call('HGET', KEYS[1], 'floor')
	if score == pack(id) then
		return false
	elseif score < pack(id) then
		return score > 0 or not floor or pack(floor) < pack(id)
	end
	local following = redis.call('XRANGE', log, '(' .. id, '+', 'COUNT', 1)[1]
	local prev = following and previous(following[1], following[2][2])
	return prev and pack(prev) < pack(id)
end

if failed then
	at = math.max(at, clock() + AHEAD)
end
if not last or failed or last < known or (ARGV[3] ~= '' and forgotten(KEYS[3], ARGV[2], ARGV[3]))
	or (ARGV[1] ~= '' and was_split(known, ARGV[7], ARGV[6])) then
	at = math.max(at, known + 1)
	mark_lost(at, ARGV[6])
end
if replaced then
	go_on(ARGV[6], last, failed)
end
if at ~= last then
	redis.call('HSET', KEYS[1], 'last', unpack_id(at))
end

-- A topic that the index no longer knows may have had news up to the floor.
local function last_ids(topics)
	local floor = redis.call('HGET', KEYS[1], 'floor')
	local found = #topics > 0 and redis.call('ZMSCORE', KEYS[2], unpack(topics)) or {}
	for i = 1, #topics do
		found[i] = tonumber(found[i] or (floor and pack(floor)) or 0)
	end
	return found
end

local topics, froms = {}, {}
for i = FIRST_LOG, #ARGV, 2 do
	topics[#topics + 1] = ARGV[i]
	froms[#froms + 1] = ARGV[i + 1]
end

local page, most_bytes = tonumber(ARGV[4]), tonumber(ARGV[5])
local through, room = at, most_bytes
local news, entries = {}, {}

-- Entries of log i; when it holds more than fit, nothing is complete behind the last of them.
local function read(i, last_id)
	local count = room > 0 and page or 1
	local found = redis.pcall('XRANGE', KEYS[4 + i], '(' .. froms[i], '+', 'COUNT', count)
	if found.err then
		if string.find(found.err, 'WRONGTYPE', 1, true) then
			return
		end
		error(found)
	end
	for _, entry in ipairs(found) do
		entries[#entries + 1] = {pack(entry[1]), i - 1, entry[1], entry[2][2]}
		room = room - #entry[2][2] - ENTRY_COST
	end
	if #found == count and entries[#entries][1] < last_id then
		through = math.min(through, entries[#entries][1])
	end
end

for i, last_id in ipairs(last_ids(topics)) do
	if last_id > pack(froms[i]) then
		news[#news + 1] = i - 1
		news[#news + 1] = unpack_id(last_id)
		read(i, last_id)
	end
end

table.sort(entries, function(a, b)
	return a[1] < b[1]
end)
local out, bytes = {}, 0
for i, entry in ipairs(entries) do
	if entry[1] > through then
		break
	end
	if bytes > most_bytes and entry[1] > entries[i - 1][1] then
		through = entries[i - 1][1]
		break
	end
	-- an event of several topics stands in several logs: its message goes once, then what differs
	local copy = i > 1 and entry[1] == entries[i - 1][1] and previous(entry[3], entry[4])
	out[#out + 1] = entry[3]
	out[#out + 1] = entry[2]
	out[#out + 1] = copy or entry[4]
	bytes = bytes + (copy and 0 or #entry[4]) + ENTRY_COST
end

local function revocations()
	local time = redis.call('TIME')
	local now = time[1] * 1000 + math.floor(time[2] / 1000)
	local found = redis.pcall('ZRANGEBYSCORE', KEYS[4], '(' .. string.format('%.0f', now), '+inf', 'WITHSCORES')
	if found.err then
		if string.find(found.err, 'WRONGTYPE', 1, true) then
			return {}
		end
		error(found)
	end
	for i = 2, #found, 2 do
		found[i] = tonumber(found[i]) - now
	end
	return found
end

return {unpack_id(at), last and unpack_id(last) or '', redis.call('HGET', KEYS[1], 'mark') or '',
	through == at and '1' or '0', unpack_id(through), news, out, redis.call('HGET', KEYS[1], 'floor') or '',
	ARGV[8] == '1' and revocations() or {}}
