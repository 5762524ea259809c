-- Add entries to the id-token list, or replace those of the same id.
--
-- KEYS  tokens, index, mark of a list that was stored, mark of a first list that is on its way
-- ARGV  1 where more will follow and else 0, id, entry, id, entry ...
if ARGV[1] == '1' then
  if redis.call('EXISTS', KEYS[1], KEYS[3]) == 0 then
    redis.call('SET', KEYS[4], 1)
  end
else
  redis.call('SET', KEYS[3], 1)
  redis.call('DEL', KEYS[4])
end
for at = 2, #ARGV, 2 do
  redis.call('HSET', KEYS[1], ARGV[at], ARGV[at + 1])
  redis.call('ZADD', KEYS[2], 0, ARGV[at])
end
return (#ARGV - 1) / 2
