-- Put work off. The same piece of work scheduled again takes the new time and payload.
--
-- KEYS  later, payloads
-- ARGV  member, due (ms), payload
redis.call('ZADD', KEYS[1], ARGV[2], ARGV[1])
redis.call('HSET', KEYS[2], ARGV[1], ARGV[3])
return 1
