-- Takes a position: raises the stored last id to max(last, clock) and answers it. No later id is at or below it,
-- which reading the clock alone could not promise (events of that same millisecond would be lost).
-- KEYS: 1 state

local last = stored_last()
local at = math.max(last or 0, clock())

if not last then
	mark_lost(at)
end
if at ~= last then
	redis.call('HSET', KEYS[1], 'last', unpack_id(at))
end
return unpack_id(at)
