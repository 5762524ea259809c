-- Strike work off, unless it was scheduled anew since it was claimed.
--
-- KEYS  later, payloads
-- ARGV  member, ticket ("" strikes it off whatever its time)
local score = redis.call('ZSCORE', KEYS[1], ARGV[1])
if not score or (ARGV[2] ~= '' and tonumber(score) ~= tonumber(ARGV[2])) then
  return 0
end
redis.call('ZREM', KEYS[1], ARGV[1])
redis.call('HDEL', KEYS[2], ARGV[1])
return 1
