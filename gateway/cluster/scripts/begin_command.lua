-- Note that a command runs, unless one of its id is known.
--
-- KEYS  command
-- ARGV  fingerprint, charger, name, deadline (s), kept for (ms)
-- Returns nothing where it is new; else {fingerprint, charger, name, deadline, result or false, first answer or false}
-- of the known one.
local known = redis.call('HMGET', KEYS[1], 'fingerprint', 'charger', 'name', 'deadline', 'result', 'answered')
if known[1] then
  return known
end
redis.call('HSET', KEYS[1], 'fingerprint', ARGV[1], 'charger', ARGV[2], 'name', ARGV[3], 'deadline', ARGV[4])
redis.call('PEXPIRE', KEYS[1], ARGV[5])
return {}
