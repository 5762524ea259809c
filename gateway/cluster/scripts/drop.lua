-- Drop the oldest entries of a full log, with events that tell the readers what is missing.
--
-- KEYS  log, log size
-- ARGV  the first id as it was when the events were made, the first id that stays, the bytes before that entry;
--       (charger, event id, type, body) ...
-- Returns 1, or 0 where another node was faster: then nothing was done.
if redis.replicate_commands then redis.replicate_commands() end

local first = redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', 1)[1]
if not first or first[1] ~= ARGV[1] then
  return 0
end
redis.call('XTRIM', KEYS[1], 'MINID', ARGV[2])
local total = tonumber(redis.call('HGET', KEYS[2], 'total') or 0)
for at = 4, #ARGV, 4 do
  total = total + #ARGV[at] + #ARGV[at + 1] + #ARGV[at + 2] + #ARGV[at + 3] + 64
  redis.call('XADD', KEYS[1], '*', 'c', ARGV[at], 'i', ARGV[at + 1], 't', ARGV[at + 2], 'b', ARGV[at + 3],
    'n', string.format('%.0f', total))
end
redis.call('HSET', KEYS[2], 'total', string.format('%.0f', total), 'base', ARGV[3])
return 1
