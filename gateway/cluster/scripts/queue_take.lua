-- Take the next command that waits for a charger, if the charger is held under this epoch.
--
-- KEYS  owner, waiting, queued, later
-- ARGV  epoch, what the piece of later work begins with, ms after its time in which a command is struck off
-- Returns {id, entry}, or nil where there is none or the epoch is not the owner's any more.
--
-- What is overdue is left to the later work that ends it.
if redis.replicate_commands then redis.replicate_commands() end

if redis.call('HGET', KEYS[1], 'epoch') ~= ARGV[1] or not redis.call('HGET', KEYS[1], 'node') then
  return false
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
for _, id in ipairs(redis.call('ZRANGE', KEYS[2], 0, -1)) do
  local entry = redis.call('HGET', KEYS[3], 'e:' .. id)
  if not entry then
    redis.call('ZREM', KEYS[2], id)
  else
    local until_ms, timeout = string.match(entry, '^(%d+)|(%d+)|')
    if tonumber(until_ms) > now then
      redis.call('ZREM', KEYS[2], id)
      redis.call('HSET', KEYS[3], 'm:' .. id, 'taken ' .. ARGV[1])
      local settled = math.max(now + tonumber(timeout), tonumber(until_ms)) + tonumber(ARGV[3])
      redis.call('ZADD', KEYS[4], string.format('%.0f', settled), ARGV[2] .. id)
      return {id, entry}
    end
  end
end
return false
