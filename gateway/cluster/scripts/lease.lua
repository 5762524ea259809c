-- Renew a shard's lease, and with it store how far its holder has come.
--
-- KEYS  lease, cursor
-- ARGV  token, term (ms), position ("" where there is nothing new)
-- Returns 1, or 0 where another holds the lease or nobody: then nothing was stored.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return 0
end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
if ARGV[3] ~= '' then
  redis.call('SET', KEYS[2], ARGV[3])
end
return 1
