-- Take a charger from a dead node, say that it is offline, and give it up: all of it or nothing, so that nobody is left
-- half marked where the one who does it dies or loses its answer. Not done where the charger has come back elsewhere.
--
-- KEYS  owner, the shard's owners, state, log, log size
-- ARGV  charger, dead node, epoch and serial as they were when the events were made, the new epoch,
--       number of fields, (field, value) ..., (event id, type, body) ...
-- Returns 1, or 0 where the charger is not the dead node's any more, 2 where it was not dead: make the events anew.
if redis.replicate_commands then redis.replicate_commands() end

local owner = redis.call('HMGET', KEYS[1], 'epoch', 'node', 'serial')
if owner[2] ~= ARGV[2] then
  if redis.call('HGET', KEYS[2], ARGV[1]) == ARGV[2] then
    redis.call('HDEL', KEYS[2], ARGV[1])
  end
  return 0
end
if owner[1] ~= ARGV[3] or (owner[3] or '') ~= ARGV[4] then
  return 2
end
redis.call('HSET', KEYS[1], 'epoch', ARGV[5], 'serial', '0')
redis.call('HDEL', KEYS[1], 'node')
redis.call('HDEL', KEYS[2], ARGV[1])
local first_event = 7 + 2 * ARGV[6]
for at = 7, first_event - 1, 2 do
  if ARGV[at + 1] == '' then
    redis.call('HDEL', KEYS[3], ARGV[at])
  else
    redis.call('HSET', KEYS[3], ARGV[at], ARGV[at + 1])
  end
end
local total = tonumber(redis.call('HGET', KEYS[5], 'total') or 0)
for at = first_event, #ARGV, 3 do
  total = total + #ARGV[1] + #ARGV[at] + #ARGV[at + 1] + #ARGV[at + 2] + 64
  redis.call('XADD', KEYS[4], '*', 'c', ARGV[1], 'i', ARGV[at], 't', ARGV[at + 1], 'b', ARGV[at + 2],
    'n', string.format('%.0f', total))
end
redis.call('HSET', KEYS[5], 'total', string.format('%.0f', total))
return 1
