-- Counts the events of one request against rate_limit_per_second where append.lua can't, since it sees one partition of
-- a Cluster alone: they share one count.
--
-- KEYS: 1 rate
-- ARGV: 1 rate_limit_per_second, 2 number of events
-- Answers: {'passed'}, or {'limited', milliseconds to wait}.

local wait, paid, now = rate_ask(KEYS[1], ARGV[1], ARGV[2])
if wait then
	return {'limited', wait}
end
rate_pay(KEYS[1], paid, now)
return {'passed'}
