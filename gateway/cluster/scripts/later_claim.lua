-- Take work that is due; it comes back by itself if it is not reported as done in time.
--
-- KEYS  later, payloads
-- ARGV  most, hidden for (ms)
-- Returns {member, payload, ticket} ...
if redis.replicate_commands then redis.replicate_commands() end

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local due = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', now), 'LIMIT', 0, ARGV[1])
local ticket = string.format('%.0f', now + ARGV[2])
local claimed = {}
for n, member in ipairs(due) do
  redis.call('ZADD', KEYS[1], ticket, member)
  claimed[n] = {member, redis.call('HGET', KEYS[2], member) or '', ticket}
end
return claimed
