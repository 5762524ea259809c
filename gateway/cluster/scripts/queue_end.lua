-- End a command that waits, or tell what ended it.
--
-- KEYS  waiting, queued
-- ARGV  command's id, outcome ("" where its time is up)
-- Returns {outcome, entry}; nil where there is none, or where it does not wait and an outcome was asked for.
--
-- The outcome stays noted until the command is struck off, so that what a node left undone is done by another. One that
-- was taken, and whose time is up without its being struck off, is a timeout.
local id, outcome = ARGV[1], ARGV[2]
local entry = redis.call('HGET', KEYS[2], 'e:' .. id)
if not entry then
  return false
end
if redis.call('ZREM', KEYS[1], id) == 1 then
  if outcome == '' then
    outcome = string.match(entry, '^[^|]*|[^|]*|([^|]*)|')
  end
  redis.call('HSET', KEYS[2], 'm:' .. id, outcome)
  return {outcome, entry}
end
local mark = redis.call('HGET', KEYS[2], 'm:' .. id)
if outcome ~= '' and mark ~= outcome then
  return false
end
if not mark or string.sub(mark, 1, 6) == 'taken ' then
  mark = 'timeout'
end
return {mark, entry}
