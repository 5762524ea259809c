-- Note which node sees to a command that every node hears: the first that says so, or one in the place of a dead one.
--
-- KEYS  command
-- ARGV  node, kept for (ms), node that is dead or ""
-- Returns the node that sees to it.
local heard = redis.call('HGET', KEYS[1], 'heard')
if heard and heard ~= ARGV[1] and heard ~= ARGV[3] then
  return heard
end
redis.call('HSET', KEYS[1], 'heard', ARGV[1])
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[2]) then
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
end
return ARGV[1]
