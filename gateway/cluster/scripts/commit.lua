-- Commit a batch of one shard. Nothing of an item is stored unless all of it is.
--
-- KEYS  log, log size, the shard's transactions; then per item: owner, state, [answer], [transactions, record ...],
--       samples ..., [name ...]
-- ARGV  items, hard limit (bytes), answers kept for (ms), transactions kept for (ms); then per item: charger, epoch,
--       serial, flags (1 keyed, 2 with names), fields, records, samples, events; [answer], (field, value) ...,
--       (transaction, record) ..., samples ..., (id, type, body) ..., [names, transaction ...]
-- Returns "FULL" and does nothing where the log is at its hard limit; else per item 0 (stored), 1 (a newer epoch owns
-- the charger), 2 (the owner is forgotten), or the answer stored when this key was first seen.
--
-- A field given as '' is deleted. A name leads to a transaction for as long as that is kept.
--
-- The indexes order transactions by when they began, ended or were corrected: for a sample more or less, which nobody
-- looks for there, three more commands would be carried out and written to disk. Whether they have a transaction at all
-- is looked at with its first samples, and now and then.
--
-- `serial` counts the commits of one connection's node: an item whose serial was stored under this epoch, with its
-- answer or else with its owner, is one that was sent twice because the first reply got lost, and is not stored again.
if redis.replicate_commands then redis.replicate_commands() end

-- Messages with samples that are kept of one transaction, and after how many of them that, and more, is looked at.
local SAMPLES_KEPT, SAMPLES_CHECKED = 20000, 100

local call, keys, argv = redis.call, KEYS, ARGV
local log, size_key, transactions = keys[1], keys[2], keys[3]
local size = call('HMGET', size_key, 'total', 'base')
local total = tonumber(size[1] or 0)
local before = total
if total - tonumber(size[2] or 0) >= tonumber(argv[2]) then
  return 'FULL'
end
local answers_for, records_for = argv[3], argv[4]
local now
local function milliseconds()
  if not now then
    local time = call('TIME')
    now = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000))
  end
  return now
end

local results = {}
local k, a = 4, 5
for item = 1, tonumber(argv[1]) do
  local owner_key, state_key = keys[k], keys[k + 1]
  k = k + 2
  local name, epoch, serial = argv[a], argv[a + 1], argv[a + 2]
  local flags, fields = argv[a + 3], tonumber(argv[a + 4])
  local keyed = flags == '1' or flags == '3'
  local records, samples, events = tonumber(argv[a + 5]), tonumber(argv[a + 6]), tonumber(argv[a + 7])
  a = a + 8
  local answer_key, answer
  if keyed then
    answer_key, answer = keys[k], argv[a]
    k, a = k + 1, a + 1
  end
  local fields_at, records_at = a, a + 2 * fields
  local samples_at = records_at + 2 * records
  local events_at = samples_at + samples
  a = events_at + 3 * events
  local own_transactions, record_keys_at = keys[k], k + 1
  if records > 0 then
    k = k + 1 + records
  end
  local sample_keys_at = k
  k = k + samples
  local names, name_keys_at, names_at, events_end = 0, k, a + 1, a - 1
  if flags == '2' or flags == '3' then
    names = tonumber(argv[a])
    k, a = k + names, a + 1 + names
  end

  local owner = call('HMGET', owner_key, 'epoch', 'serial')
  local held = tonumber(owner[1] or -1)
  local result = 0
  if held < tonumber(epoch) then
    result = 2
  elseif held > tonumber(epoch) then
    result = 1
  else
    local mark = epoch .. '.' .. serial
    local new = true
    if keyed then
      local stored = call('GET', answer_key)
      if stored then
        new = false
        local bar = string.find(stored, '|', 1, true)
        if string.sub(stored, 1, bar - 1) ~= mark then
          result = string.sub(stored, bar + 1)
        end
      end
    elseif tonumber(owner[2] or 0) >= tonumber(serial) then
      new = false
    end
    if new then
      if fields > 0 then
        call('HSET', state_key, unpack(argv, fields_at, records_at - 1))
        for at = fields_at, records_at - 2, 2 do
          if argv[at + 1] == '' then
            call('HDEL', state_key, argv[at])
          end
        end
      end
      local listed = events > 0
      for at = events_at, events_end, 3 do
        listed = listed and argv[at + 1] == 'ocpp.transaction.updated'
      end
      local looked_at = samples == 0
      for n = 0, samples - 1 do
        local length = call('RPUSH', keys[sample_keys_at + n], argv[samples_at + n])
        if length % SAMPLES_CHECKED == 1 then
          looked_at = true
          call('PEXPIRE', keys[sample_keys_at + n], records_for)
          call('LTRIM', keys[sample_keys_at + n], -SAMPLES_KEPT, -1)
        end
      end
      for n = 0, records - 1 do
        local id = argv[records_at + 2 * n]
        call('SET', keys[record_keys_at + n], argv[records_at + 2 * n + 1], 'PX', records_for)
        if not listed or (looked_at and not call('ZSCORE', own_transactions, id)) then
          call('ZADD', transactions, milliseconds(), id)
          call('ZADD', own_transactions, milliseconds(), id)
          call('ZREMRANGEBYSCORE', own_transactions, '-inf', string.format('%.0f', milliseconds() - records_for))
          call('PEXPIRE', own_transactions, records_for)
        end
      end
      for n = 0, names - 1 do
        call('SET', keys[name_keys_at + n], argv[names_at + n], 'PX', records_for)
      end
      for at = events_at, events_end, 3 do
        local id, kind, body = argv[at], argv[at + 1], argv[at + 2]
        total = total + #name + #id + #kind + #body + 64
        call('XADD', log, '*', 'c', name, 'i', id, 't', kind, 'b', body, 'n', string.format('%.0f', total))
      end
      -- Last, so that an item which Redis refuses in the middle is not taken for stored when it is sent again.
      if keyed then
        call('SET', answer_key, mark .. '|' .. answer, 'PX', answers_for)
      else
        call('HSET', owner_key, 'serial', serial)
      end
    end
  end
  results[item] = result
end
if total ~= before then
  call('HSET', size_key, 'total', string.format('%.0f', total))
end
return results
