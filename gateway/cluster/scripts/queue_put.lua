-- Have a command wait for its charger, unless a node holds that by now.
--
-- KEYS  owner, waiting, queued, later, later payloads
-- ARGV  command's id, entry (its first line: until (ms)|timeout (ms)|ending|kind), piece of later work, until (ms),
--       most that may wait, the node that lets go of the charger ("" for none), "" or the epoch it was taken under: it
--       waits again, before all others
-- Returns {1 it waits | 0 it does not, the node that holds the charger or "", (id, entry) of those it supersedes ...}
local id, entry, taken = ARGV[1], ARGV[2], ARGV[7]
local waiting, queued = KEYS[2], KEYS[3]
local node = redis.call('HGET', KEYS[1], 'node') or ''
local mark = redis.call('HGET', queued, 'm:' .. id)

if taken ~= '' then
  -- Whoever asks again, as the answer was lost, finds the mark gone.
  if mark ~= 'taken ' .. taken then
    return {1, node}
  end
  redis.call('HDEL', queued, 'm:' .. id)
elseif redis.call('HEXISTS', queued, 'e:' .. id) == 1 then
  return {1, node}
elseif node ~= '' and node ~= ARGV[6] then
  return {0, node}
end

local answer, place = {1, node}, nil
local kind = string.match(entry, '^[^|]*|[^|]*|[^|]*|([^\n]*)\n')
if taken == '' and kind ~= '' then
  for _, other in ipairs(redis.call('ZRANGE', waiting, 0, -1)) do
    local known = redis.call('HGET', queued, 'e:' .. other)
    if known and string.match(known, '^[^|]*|[^|]*|[^|]*|([^\n]*)\n') == kind then
      place = redis.call('ZSCORE', waiting, other)
      redis.call('ZREM', waiting, other)
      redis.call('HSET', queued, 'm:' .. other, 'superseded')
      answer[#answer + 1] = other
      answer[#answer + 1] = known
    end
  end
end
if taken ~= '' then
  local first = redis.call('ZRANGE', waiting, 0, 0, 'WITHSCORES')
  place = tonumber(first[2] or 1) - 1
elseif not place then
  if redis.call('ZCARD', waiting) >= tonumber(ARGV[5]) then
    return {0, ''}
  end
  local last = redis.call('ZRANGE', waiting, -1, -1, 'WITHSCORES')
  place = tonumber(last[2] or 0) + 1
end
redis.call('HSET', queued, 'e:' .. id, entry)
redis.call('ZADD', waiting, place, id)
redis.call('ZADD', KEYS[4], ARGV[4], ARGV[3])
redis.call('HSET', KEYS[5], ARGV[3], id)
return answer
