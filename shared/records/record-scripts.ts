/**
 * What is done to records in Redis, each a Lua script and so atomic. Sent whole each time: nothing is to be had
 * back after a `SCRIPT FLUSH` or `FLUSHALL`.
 *
 * Under one base there are, for each record, a hash `one:<id>` (`json`, its parts that are kept here, and `in`:
 * the names of the indexes that it is in), the index of all, and one index `by:<name>` for each name. Indexes are
 * sorted sets of ids by the time of acceptance, milliseconds.
 */
const DROP = `
local base = ARGV[1]
local function drop(id)
  local names = redis.call('HGET', base .. 'one:' .. id, 'in') or ''
  redis.call('ZREM', base .. 'all', id)
  for name in string.gmatch(names, '%S+') do redis.call('ZREM', base .. 'by:' .. name, id) end
  return redis.call('DEL', base .. 'one:' .. id)
end
local function dropOlder(cutoff, most)
  local old = redis.call('ZRANGEBYSCORE', base .. 'all', '-inf', '(' .. cutoff, 'LIMIT', 0, most)
  for _, id in ipairs(old) do drop(id) end
  return #old
end`;

/**
 * Keeps a record unless there is one, and takes out what is too old or too many.
 *
 * KEYS: hash of what is under way for the replayed record, hash of the replay of many (either may be `-`).
 * ARGV: base, id, time, names of indexes, cutoff, index of its kind, most of its kind, outcome, end, field, value, …
 *
 * Every key ends by itself after `end` (ms), long after its records are too old, should nobody be left to sweep.
 */
export const ADD = `${DROP}
local id, time, names, cutoff, kind, most = ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6], tonumber(ARGV[7])
if KEYS[1] ~= '-' then redis.call('ZREM', KEYS[1], id) end
local key = base .. 'one:' .. id
if redis.call('EXISTS', key) == 1 then return 0 end
redis.call('HSET', key, 'in', names, unpack(ARGV, 10))
redis.call('PEXPIRE', key, ARGV[9])
local function enter(index)
  redis.call('ZADD', index, time, id)
  redis.call('PEXPIRE', index, ARGV[9])
end
enter(base .. 'all')
for name in string.gmatch(names, '%S+') do enter(base .. 'by:' .. name) end
if KEYS[2] ~= '-' and redis.call('EXISTS', KEYS[2]) == 1 then
  redis.call('HINCRBY', KEYS[2], 'done', 1)
  redis.call('HINCRBY', KEYS[2], 'outcome:' .. ARGV[8], 1)
end
dropOlder(cutoff, 20)
local over = math.min(20, redis.call('ZCARD', base .. 'by:' .. kind) - most)
if over > 0 then
  for _, old in ipairs(redis.call('ZRANGE', base .. 'by:' .. kind, 0, over - 1)) do drop(old) end
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
