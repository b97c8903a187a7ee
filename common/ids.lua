-- The one clock of a Redis, or of a partition of a Cluster: ids "<ms>-<n>" that never go back. Prepended to every script
-- that makes or takes an id.
--
-- KEYS[1] is the state hash: last  = the highest id ever made or handed out as a position,
--                            mark  = ids below it may have been lost by Redis,
--                            floor = the index no longer knows topics that were last published to at or below it,
--                            node  = the server that made the last id, where it can be another one after a failover,
--                            since = ids at or above it that another server gave are not known here.
-- n stays below 1024, so that an id packs exactly into the 53 bits of a sorted-set score: ms * 1024 + n
-- (exact until the year 2248). Past 1023 in a millisecond the id moves on to the next millisecond.

local N = 1024
local AHEAD = 10000 * N -- after a failover ids go on so far ahead of the clock, see new_server
local SKEW = 1000 * N   -- clocks of two servers differ by so much at most

local function pack(id)
	local ms, n = string.match(id, '^(%d+)%-(%d+)$')
	return tonumber(ms) * N + tonumber(n)
end

local function unpack_id(packed)
	local n = packed % N
	return string.format('%.0f-%d', (packed - n) / N, n)
end

local function clock()
	local t = redis.call('TIME')
	return (t[1] * 1000 + math.floor(t[2] / 1000)) * N
end

-- The stored last id, packed, or nil when this Redis knows of none.
local function stored_last()
	local last = redis.call('HGET', KEYS[1], 'last')
	return last and pack(last) or nil
end

-- Raises the mark: what lies below `at` may be missing from the logs. Whoever is told of it now learns of all that another
-- server gave up to now, too: who comes later with an id of that marks nothing.
local function mark_lost(at, server)
	redis.call('HSET', KEYS[1], 'mark', unpack_id(at))
	if server ~= '' then
		local since = redis.call('HGET', KEYS[1], 'since')
		redis.call('HSET', KEYS[1], 'since', unpack_id(math.max(since and pack(since) or 0, clock() - SKEW)))
	end
end

-- ---- failovers ----

-- Does the Cluster know that server as a master in health that has slots? Then a slot was moved from it, by copying
-- what the slot held; else it was lost, and what it had not replicated with it.
local function is_well(server)
	local nodes = redis.pcall('CLUSTER', 'NODES')
	for id, flags, slots in string.gmatch(type(nodes) == 'string' and nodes or '',
		'(%x+) %S+ (%S+) %S+ %S+ %S+ %S+ %S+([^\n]*)') do
		if id == server then
			return string.find(flags, 'master', 1, true) ~= nil and not string.find(flags, 'fail', 1, true)
				and string.find(slots, ' %d') ~= nil
		end
	end
	return false
end

-- Another server than the one that made the last id answers: by failover, or since the slot was moved. Returns whether
-- it is another one, and whether data may be lost; of the first one that ever was named nothing is lost. server: ''
-- where there can't be another one.
--
-- A server that was replaced may have given ids that nobody here knows of, up to the moment in which it was cut off, by
-- a clock of its own. So after a failover ids go on AHEAD of the clock: none of theirs can be mistaken for one of ours.
local function new_server(server)
	if server == '' then
		return false, false
	end
	local before = redis.call('HGET', KEYS[1], 'node')
	if before == server then
		return false, false
	end
	return true, before and not is_well(before)
end

-- Notes that this server goes on, behind `last`. A server that failed may not have noticed, and given ids since then; by
-- the clock they are told from those which it gave before.
local function go_on(server, last, failed)
	local since = last and last + 1 or 0
	if failed or not last then
		since = math.max(since, clock() - SKEW)
	end
	redis.call('HSET', KEYS[1], 'node', server, 'since', unpack_id(since))
end

-- An id that somebody got from another server when the one that is known here had gone on already: both took writes for
-- a while, and those of the other one are gone, maybe after the mark was seen that its end had set. To be asked before
-- go_on.
local function was_split(id, server, now)
	if server == now or redis.call('HGET', KEYS[1], 'node') == server then
		return false
	end
	local since = redis.call('HGET', KEYS[1], 'since')
	return since and id >= pack(since)
end
