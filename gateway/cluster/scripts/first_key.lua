-- Store an API key while there is none, so that nodes that start together make only one.
--
-- KEYS  the API keys
-- ARGV  the digest of the secret, the key
-- Returns 1, or 0 where there is a key already.
if redis.call('HLEN', KEYS[1]) > 0 then
  return 0
end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
return 1
