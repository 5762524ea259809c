-- Give a lease up, if it is ours.
--
-- KEYS  lease, in hand
-- ARGV  token, clean (0 | 1): the receiver is known to have all that was confirmed
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return 0
end
if ARGV[2] == '1' then
  redis.call('DEL', KEYS[2])
end
return redis.call('DEL', KEYS[1])
