-- Say that a node is there; those that were silent for a term are not.
--
-- KEYS  attendance
-- ARGV  node, term (ms)
-- Returns how many nodes are there.
if redis.replicate_commands then redis.replicate_commands() end

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZADD', KEYS[1], string.format('%.0f', now), ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', now - ARGV[2]))
return redis.call('ZCARD', KEYS[1])
