-- Forget an offline charger, with an event that tells the readers.
--
-- KEYS  owner, state, settings, the shard's owners, the shard's chargers, log, log size
-- ARGV  charger, epoch as it was when the event was made ("" for none), event id, type, body
-- Returns 0 (removed), 1 (it is connected), 2 (its epoch has changed: make the event anew).
if redis.replicate_commands then redis.replicate_commands() end

local owner = redis.call('HMGET', KEYS[1], 'epoch', 'node')
if owner[2] then
  return 1
end
if (owner[1] or '') ~= ARGV[2] then
  return 2
end
redis.call('DEL', KEYS[1], KEYS[2], KEYS[3])
redis.call('HDEL', KEYS[4], ARGV[1])
redis.call('ZREM', KEYS[5], ARGV[1])
local total = tonumber(redis.call('HGET', KEYS[7], 'total') or 0) + #ARGV[1] + #ARGV[3] + #ARGV[4] + #ARGV[5] + 64
total = string.format('%.0f', total)
redis.call('XADD', KEYS[6], '*', 'c', ARGV[1], 'i', ARGV[3], 't', ARGV[4], 'b', ARGV[5], 'n', total)
redis.call('HSET', KEYS[7], 'total', total)
return 0
