-- Take an entry out of the id-token list. That there was a list stays known.
--
-- KEYS  tokens, index, mark of a list that was stored, mark of a first list that is on its way
-- ARGV  id
-- Returns 1, or 0 where there was none.
redis.call('ZREM', KEYS[2], ARGV[1])
local removed = redis.call('HDEL', KEYS[1], ARGV[1])
if removed == 1 and redis.call('EXISTS', KEYS[4]) == 0 then
  redis.call('SET', KEYS[3], 1)
end
return removed
