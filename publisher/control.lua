#!lua flags=allow-oom
-- Gives one control message to the streamers, and keeps a revocation for those to come: all of it, or nothing.
--
-- KEYS: 1 revoked: sorted set, `+` and a selector: a revocation; `-` and one: that was lifted -> the millisecond at which it
--         ends, or would have ended
-- ARGV: 1 PUBLISH or SPUBLISH, 2 channel, 3 message, 4 how many seconds a revocation holds, '0' to lift it, '' when the
--       message is none; 5 the selector
-- Answers: how many subscribers got the message; or an error: FULL when no more revocations are kept.
--
-- It counts as writing whatever it does (it has no flag that says otherwise), so that a server which is no master any more,
-- or has too few replicas to be believed, refuses it: streamers are not there. allow-oom: what it writes is a member of one
-- set; a Redis whose memory is full can still keep users out.
--
-- It can be called again: an end never moves nearer, and what is lifted stays so. Who calls it again may wait for replicas
-- (WAIT), which wait for what that connection wrote: so a key that is there is always written to.

local call, may = redis.call, redis.acl_check_cmd
local revoked, send, channel, message, seconds = KEYS[1], ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local MOST = 100000

local function denied(command, name)
	return redis.error_reply('NOPERM no permission for ' .. command .. ' ' .. name)
end

if not may(send, channel, '') then
	return denied(send, channel)
elseif seconds == '' then
	return call(send, channel, message)
end

-- ---- whatever can fail fails here, before the first write: a script is not rolled back ----

for _, words in ipairs({{'ZSCORE', ''}, {'ZCOUNT', '0', '0'}, {'ZREMRANGEBYSCORE', '0', '0'}, {'ZADD', '0', ''}, {'ZREM', ''},
	{'ZRANGE', '0', '0'}, {'PEXPIREAT', '0'}}) do
	if not may(words[1], revoked, unpack(words, 2)) then
		return denied(words[1], revoked)
	end
end

local time = call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local in_force, lifted = '+' .. ARGV[5], '-' .. ARGV[5]

-- When a member ends; nil when it has ended, or never was.
local function end_of(member)
	local score = call('ZSCORE', revoked, member)
	return score and tonumber(score) > now and score or nil
end

local ends = end_of(in_force)
if seconds ~= '0' and not ends and not end_of(lifted)
	and call('ZCOUNT', revoked, string.format('(%.0f', now), '+inf') >= MOST then
	return redis.error_reply('FULL too many revocations are in force')
end

-- ---- nothing below can fail ----

call('ZREMRANGEBYSCORE', revoked, '-inf', string.format('%.0f', now))
if seconds ~= '0' then
	call('ZADD', revoked, 'GT', string.format('%.0f', now + seconds * 1000), in_force)
	call('ZREM', revoked, lifted)
elseif ends then
	call('ZREM', revoked, in_force)
	call('ZADD', revoked, ends, lifted)
end
local last = call('ZRANGE', revoked, '-1', '-1', 'WITHSCORES')
if last[2] then
	call('PEXPIREAT', revoked, last[2])
end
return call(send, channel, message)
