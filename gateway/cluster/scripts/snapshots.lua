-- The public snapshot fields of chargers: all but `memory` and the parts of reports, which are the twin's own.
--
-- KEYS  state ...
-- Returns per key {field, value, ...}
local found = {}
for n, key in ipairs(KEYS) do
  local flat = redis.call('HGETALL', key)
  local public = {}
  for at = 1, #flat, 2 do
    if flat[at] ~= 'memory' and string.sub(flat[at], 1, 5) ~= 'part/' then
      public[#public + 1] = flat[at]
      public[#public + 1] = flat[at + 1]
    end
  end
  found[n] = public
end
return found
