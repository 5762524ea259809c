-- Give a charger up, if it is still held under this epoch.
--
-- KEYS  owner, the shard's owners
-- ARGV  charger, epoch
-- Returns 1 if it was given up, else 0. The epoch stays, so that the next one is greater.
if redis.call('HGET', KEYS[1], 'epoch') ~= ARGV[2] then
  return 0
end
redis.call('HDEL', KEYS[1], 'node')
redis.call('HDEL', KEYS[2], ARGV[1])
return 1
