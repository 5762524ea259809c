-- Put an entry that can never be delivered aside, if we hold the shard's lease.
--
-- KEYS  lease, dead letters, cursor
-- ARGV  token, kept at most, reader, reason, parked at, position, charger, id, type, body
-- Returns 1, or 0 where the lease is not ours: then nothing was stored.
if redis.replicate_commands then redis.replicate_commands() end

if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return 0
end
redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[2], '*', 'reader', ARGV[3], 'reason', ARGV[4], 'at', ARGV[5],
  'p', ARGV[6], 'c', ARGV[7], 'i', ARGV[8], 't', ARGV[9], 'b', ARGV[10])
redis.call('SET', KEYS[3], ARGV[6])
return 1
