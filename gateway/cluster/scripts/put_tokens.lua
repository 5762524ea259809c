-- Add entries to the id-token list, or replace those of the same id.
--
-- KEYS  tokens, index
-- ARGV  id, entry, id, entry ...
for at = 1, #ARGV, 2 do
  redis.call('HSET', KEYS[1], ARGV[at], ARGV[at + 1])
  redis.call('ZADD', KEYS[2], 0, ARGV[at])
end
return #ARGV / 2
