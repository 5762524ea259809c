-- The public snapshot fields of chargers: all but `memory`, which is the twin's own.
--
-- KEYS  state ...
-- Returns per key {field, value, ...}
local found = {}
for n, key in ipairs(KEYS) do
  local flat = redis.call('HGETALL', key)
  local public = {}
  for at = 1, #flat, 2 do
    if flat[at] ~= 'memory' then
      public[#public + 1] = flat[at]
      public[#public + 1] = flat[at + 1]
    end
  end
  found[n] = public
end
return found
