-- Make a node the owner of a charger, under an epoch that is greater than any before.
--
-- KEYS  owner, state, the shard's owners, the shard's chargers
-- ARGV  charger, node, "absent" where it may only be taken while nobody owns it, the last epoch that is known
-- Returns {epoch, previous node or "", Redis's time in seconds, {field, value, ...}}, or nil where somebody owns it
--
-- The epoch is Redis's time in ms, or one more than the last: it grows even if Redis lost its data. Where a failover
-- lost the last claim, and the new primary's clock is behind, only the claimer knows which epoch was the last.
if redis.replicate_commands then redis.replicate_commands() end

local time = redis.call('TIME')
local owner = redis.call('HMGET', KEYS[1], 'epoch', 'node')
if ARGV[3] == 'absent' and owner[2] and owner[2] ~= '' then
  return false
end
local epoch = math.max(time[1] * 1000 + math.floor(time[2] / 1000), tonumber(owner[1] or 0) + 1,
  tonumber(ARGV[4]) + 1)
epoch = string.format('%.0f', epoch)
redis.call('HSET', KEYS[1], 'epoch', epoch, 'node', ARGV[2], 'serial', '0')
redis.call('HSET', KEYS[3], ARGV[1], ARGV[2])
redis.call('ZADD', KEYS[4], 0, ARGV[1])
return {epoch, owner[2] or '', string.format('%s.%06d', time[1], time[2]), redis.call('HGETALL', KEYS[2])}
