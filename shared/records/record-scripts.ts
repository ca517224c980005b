/**
 * What is done to records in Redis, each a Lua script and so atomic. Sent whole each time: nothing is to be had
 * back after a `SCRIPT FLUSH` or `FLUSHALL`.
 *
 * Under one base there are, for each record, a hash `one:<id>` (`json`, its parts that are kept here, and `in`:
 * the names of the indexes that it is in; `bytes`), the index of all, and one index `by:<name>` for each name. Indexes
 * are sorted sets of ids by the time of acceptance, milliseconds. Of each kind there is what its records weigh together
 * (`weight:<kind>`), and those of each tenant (`weights:<kind>`, a sorted set of indexes by bytes).
 */
const DROP = `
local base = ARGV[1]
local function weigh(names, bytes)
  local index, kind = string.match(names, '((kind=[^%s,]+),tenant=%S+)')
  if not index then return end
  redis.call('INCRBY', base .. 'weight:' .. kind, bytes)
  redis.call('ZINCRBY', base .. 'weights:' .. kind, bytes, index)
  if redis.call('EXISTS', base .. 'by:' .. index) == 0 then redis.call('ZREM', base .. 'weights:' .. kind, index) end
end
local function drop(id)
  local names, bytes = unpack(redis.call('HMGET', base .. 'one:' .. id, 'in', 'bytes'))
  names = names or ''
  redis.call('ZREM', base .. 'all', id)
  for name in string.gmatch(names, '%S+') do redis.call('ZREM', base .. 'by:' .. name, id) end
  weigh(names, -(bytes or 0))
  return redis.call('DEL', base .. 'one:' .. id)
end
local function dropOlder(cutoff, most)
  local old = redis.call('ZRANGEBYSCORE', base .. 'all', '-inf', '(' .. cutoff, 'LIMIT', 0, most)
  for _, id in ipairs(old) do drop(id) end
  return #old
end`;

/**
 * Keeps a record unless there is one, and takes out what is too old or too much: of its kind the oldest of whichever
 * tenant has most, so that one who fails all the time pushes out nobody else's; where there are too many and each has one, the oldest of all.
 *
 * KEYS: hash of what is under way for the replayed record, hash of the replay of many (either may be `-`).
 * ARGV: base, id, time, names of indexes, cutoff, name of its kind's index, most of its kind, bytes of its kind, outcome,
 * end, bytes, field, value, …
 *
 * Every key ends by itself after `end` (ms), long after its records are too old, should nobody be left to sweep.
 */
export const ADD = `${DROP}
local id, time, names, cutoff, kind = ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6]
local most, mostBytes, outcome, expiry, bytes = tonumber(ARGV[7]), tonumber(ARGV[8]), ARGV[9], ARGV[10], ARGV[11]
if KEYS[1] ~= '-' then redis.call('ZREM', KEYS[1], id) end
local key = base .. 'one:' .. id
if redis.call('EXISTS', key) == 1 then return 0 end
redis.call('HSET', key, 'in', names, 'bytes', bytes, unpack(ARGV, 12))
redis.call('PEXPIRE', key, expiry)
local function enter(index)
  redis.call('ZADD', index, time, id)
  redis.call('PEXPIRE', index, expiry)
end
enter(base .. 'all')
for name in string.gmatch(names, '%S+') do enter(base .. 'by:' .. name) end
weigh(names, bytes)
local weight, weights = base .. 'weight:' .. kind, base .. 'weights:' .. kind
redis.call('PEXPIRE', weight, expiry)
redis.call('PEXPIRE', weights, expiry)
if KEYS[2] ~= '-' and redis.call('EXISTS', KEYS[2]) == 1 then
  redis.call('HINCRBY', KEYS[2], 'done', 1)
  redis.call('HINCRBY', KEYS[2], 'outcome:' .. outcome, 1)
end
dropOlder(cutoff, 20)
local ofKind = base .. 'by:' .. kind
for _ = 1, 20 do
  -- Nothing is there any more: what is left of the weight is of records that ended by themselves.
  if redis.call('EXISTS', ofKind) == 0 then redis.call('DEL', weight, weights); break end
  local isTooHeavy = tonumber(redis.call('GET', weight)) > mostBytes
  if not isTooHeavy and redis.call('ZCARD', ofKind) <= most then break end
  local heaviest = base .. 'by:' .. (redis.call('ZREVRANGE', weights, 0, 0)[1] or '')
  local fewest = isTooHeavy and 1 or 2
  local from = redis.call('ZCARD', heaviest) >= fewest and heaviest or ofKind
  drop(redis.call('ZRANGE', from, 0, 0)[1])
end
return 1`;

/** ARGV: base, id. @returns 1 when there was one */
export const REMOVE = `${DROP}
return drop(ARGV[2])`;

/** ARGV: base, cutoff, most. @returns how many were taken out */
export const EXPIRE = `${DROP}
return dropOlder(ARGV[2], ARGV[3])`;

/**
 * Newest first, what is in all of the indexes, after a place (time and id) and within times. Looks at no more than
 * so many entries, so that Redis is never held up for long; where the rest begins is told.
 *
 * KEYS: indexes. ARGV: latest time, earliest time, id of the place ('' for none), most ids, most entries.
 * @returns [time and id of the place to go on from, or two empty strings at the end, id, id, …]
 */
export const LIST = `
local from, to, after, most, budget = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5])
local walked, fewest = 1, math.huge
for i, key in ipairs(KEYS) do
  local count = redis.call('ZCARD', key)
  if count < fewest then walked, fewest = i, count end
end
local found = {'', ''}
local offset, looked = 0, 0
while looked < budget do
  local entries =
    redis.call('ZREVRANGEBYSCORE', KEYS[walked], from, to, 'WITHSCORES', 'LIMIT', offset, 500)
  if #entries == 0 then return found end
  for i = 1, #entries, 2 do
    local id, time = entries[i], entries[i + 1]
    -- Of one time, later ids come first.
    if after == '' or tonumber(time) < tonumber(from) or id < after then
      looked = looked + 1
      local isIn = true
      for k, key in ipairs(KEYS) do
        if k ~= walked and not redis.call('ZSCORE', key, id) then isIn = false; break end
      end
      if isIn then table.insert(found, id) end
      if #found - 2 == most or looked == budget then
        found[1], found[2] = time, id
        return found
      end
    end
  end
  offset = offset + #entries / 2
end
return found`;

/**
 * A replay begins, unless another one of the same record is under way.
 *
 * KEYS: what is under way. ARGV: id, now, when it ends at the latest, whether another may be under way ('1').
 * @returns 1, or 0 when it may not begin
 */
export const BEGIN_REPLAY = `
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', ARGV[2])
if redis.call('ZSCORE', KEYS[1], ARGV[1]) then return 1 end
if ARGV[4] ~= '1' and redis.call('ZCARD', KEYS[1]) > 0 then return 0 end
redis.call('ZADD', KEYS[1], ARGV[3], ARGV[1])
redis.call('PEXPIREAT', KEYS[1], ARGV[3])
return 1`;
