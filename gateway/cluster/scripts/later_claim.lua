-- Take work that is due; it comes back by itself if it is not reported as done in time.
--
-- KEYS  later, payloads, the shard's owners
-- ARGV  most, hidden for (ms), node
-- Returns {member, payload, ticket} ...
--
-- What concerns a charger of another node is left to that one, which alone can do it.
if redis.replicate_commands then redis.replicate_commands() end

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local due = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', now), 'LIMIT', 0, 20 * ARGV[1])
local ticket = string.format('%.0f', now + ARGV[2])
local claimed = {}
for _, member in ipairs(due) do
  local holder = redis.call('HGET', KEYS[3], string.match(member, '^[^\n]*'))
  if not holder or holder == ARGV[3] then
    redis.call('ZADD', KEYS[1], ticket, member)
    claimed[#claimed + 1] = {member, redis.call('HGET', KEYS[2], member) or '', ticket}
    if #claimed == tonumber(ARGV[1]) then
      break
    end
  end
end
return claimed
