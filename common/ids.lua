-- The one clock of a Redis: ids "<ms>-<n>" that never go back. Prepended to every script that makes or takes an id.
--
-- KEYS[1] is the state hash: last  = the highest id ever made or handed out as a position,
--                            mark  = ids below it may have been lost by Redis,
--                            floor = the index no longer knows topics that were last published to at or below it.
-- n stays below 1024, so that an id packs exactly into the 53 bits of a sorted-set score: ms * 1024 + n
-- (exact until the year 2248). Past 1023 in a millisecond the id moves on to the next millisecond.

local N = 1024

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

-- Raises the mark: what lies below `at` may be missing from the logs.
local function mark_lost(at)
	redis.call('HSET', KEYS[1], 'mark', unpack_id(at))
end
