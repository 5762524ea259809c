-- Trim a shard's log to a size and an age, but not beyond what every reader has confirmed.
--
-- KEYS  log, log size
-- ARGV  most bytes, greatest age (ms), the first id that must stay ("" where nothing must)
-- Returns {entries trimmed, bytes in the log}
--
-- Each entry carries the running total of bytes with it (n), so that the log's size from any entry on is a
-- subtraction: the entry to cut at is found by bisection.
if redis.replicate_commands then redis.replicate_commands() end

local log, size_key = KEYS[1], KEYS[2]

local function before(entry)
  local fields = entry[2]
  local total, own = 0, 64
  for at = 1, #fields, 2 do
    if fields[at] == 'n' then
      total = tonumber(fields[at + 1])
    else
      own = own + #fields[at + 1]
    end
  end
  return total - own
end

local function parts(id)
  local ms, sequence = string.match(id, '^(%d+)-(%d+)$')
  return tonumber(ms), tonumber(sequence)
end

local function less(left, right)
  local left_ms, left_sequence = parts(left)
  local right_ms, right_sequence = parts(right)
  return left_ms < right_ms or (left_ms == right_ms and left_sequence < right_sequence)
end

local size = redis.call('HMGET', size_key, 'total', 'base')
local total = tonumber(size[1] or 0)
local first = redis.call('XRANGE', log, '-', '+', 'COUNT', 1)[1]
if not first then
  redis.call('HSET', size_key, 'base', string.format('%.0f', total))
  return {0, 0}
end
local last = redis.call('XREVRANGE', log, '+', '-', 'COUNT', 1)[1]
local time = redis.call('TIME')
local keep_from = math.max(0, time[1] * 1000 + math.floor(time[2] / 1000) - tonumber(ARGV[2]))

local most = tonumber(ARGV[1])
if total - before(first) > most then
  local low, high = parts(first[1]), parts(last[1]) + 1
  while low < high do
    local middle = math.floor((low + high) / 2)
    local entry = redis.call('XRANGE', log, string.format('%.0f', middle), '+', 'COUNT', 1)[1]
    if not entry or total - before(entry) <= most then
      high = middle
    else
      low = middle + 1
    end
  end
  keep_from = math.max(keep_from, low)
end

local cut = string.format('%.0f-0', keep_from)
if ARGV[3] ~= '' and less(ARGV[3], cut) then
  cut = ARGV[3]
end
local trimmed = 0
if less(first[1], cut) then
  trimmed = redis.call('XTRIM', log, 'MINID', cut)
  first = redis.call('XRANGE', log, '-', '+', 'COUNT', 1)[1]
end
local base = first and before(first) or total
redis.call('HSET', size_key, 'base', string.format('%.0f', base))
return {trimmed, total - base}
