-- Take a charger from a dead node, under a fresh epoch, unless it has come back elsewhere.
--
-- KEYS  owner, the shard's owners, state
-- ARGV  charger, dead node, own node, the epoch that must not be reached ("" for none)
-- Returns {the new epoch, {field, value, ...}}, or nil where the charger is not the dead node's any more.
if redis.replicate_commands then redis.replicate_commands() end

local owner = redis.call('HMGET', KEYS[1], 'epoch', 'node')
if owner[2] ~= ARGV[2] then
  if redis.call('HGET', KEYS[2], ARGV[1]) == ARGV[2] then
    redis.call('HDEL', KEYS[2], ARGV[1])
  end
  return false
end
if ARGV[4] ~= '' and tonumber(owner[1]) >= tonumber(ARGV[4]) then
  return false
end
local time = redis.call('TIME')
local epoch = math.max(time[1] * 1000 + math.floor(time[2] / 1000), tonumber(owner[1]) + 1)
epoch = string.format('%.0f', epoch)
redis.call('HSET', KEYS[1], 'epoch', epoch, 'node', ARGV[3], 'serial', '0')
redis.call('HSET', KEYS[2], ARGV[1], ARGV[3])
return {epoch, redis.call('HGETALL', KEYS[3])}
