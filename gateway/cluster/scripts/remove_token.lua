-- Take an entry out of the id-token list.
--
-- KEYS  tokens, index
-- ARGV  id
-- Returns 1, or 0 where there was none.
redis.call('ZREM', KEYS[2], ARGV[1])
return redis.call('HDEL', KEYS[1], ARGV[1])
