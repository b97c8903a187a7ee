-- rate_limit_per_second: a key holds the microsecond up to which events are paid for. An event costs 1/limit seconds, and
-- as much as one second may be paid for ahead; a request that is larger passes when nothing is owed. A time further ahead
-- than any request can take it was left by another clock. Prepended to the scripts that count events.

local MOST_EVENTS = 1000 -- of one request

-- May `count` more events pass? Returns nil, what is paid for then, and the time; or the milliseconds to wait.
local function rate_ask(key, limit, count)
	local time = redis.call('TIME')
	local cost = math.ceil(count * 4e6 / limit) / 4 -- doubles of this size count quarters of a microsecond
	local now = time[1] * 1e6 + time[2]
	local paid = tonumber(redis.call('GET', key) or 0)
	paid = math.max(now, math.min(paid, now + math.max(1e6, MOST_EVENTS * 1e6 / limit)))
	local wait = paid + math.min(cost, 1e6) - 1e6 - now
	if wait > 0 then
		return math.ceil(wait / 1000)
	end
	return nil, paid + cost, now
end

local function rate_pay(key, paid, now)
	redis.call('SET', key, paid, 'PX', math.ceil((paid - now) / 1000))
end
