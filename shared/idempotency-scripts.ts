/**
 * What is done to an `Idempotency-Key`'s record, each a Lua script and so atomic. Sent whole each time: they are
 * short, and nothing is then to be had back after a `SCRIPT FLUSH`.
 *
 * The record is a hash: `state` (running | done), `id` of the invocation that holds it, `fingerprint`, `held` (until
 * when its gateway is sure to be there, on Redis's clock), `head` and `body` of the answer, `location` of an
 * asynchronous request, and a field `to:<id>` with the reply stream of each request that waits for it.
 */

const NOW = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)`;

/**
 * ARGV: fingerprint, id, reply stream, end of the claim (ms), holder that has no job, most who wait, location, how
 * long the claim is held (ms)
 */
export const CLAIM = `${NOW}
local r = redis.call('HMGET', KEYS[1], 'state', 'id', 'fingerprint', 'head', 'body', 'location', 'held')
if r[3] and r[3] ~= ARGV[1] then return {'reused'} end
local isLost = r[1] == 'running' and r[2] == ARGV[5] and tonumber(r[7] or 0) < now
if not r[1] or isLost then
  redis.call('HSET', KEYS[1], 'state', 'running', 'id', ARGV[2], 'fingerprint', ARGV[1], 'held', now + ARGV[8])
  redis.call('HDEL', KEYS[1], 'to:' .. ARGV[2], 'location')
  if ARGV[7] ~= '' then redis.call('HSET', KEYS[1], 'location', ARGV[7]) end
  redis.call('PEXPIREAT', KEYS[1], ARGV[4])
  return {'claimed'}
end
if r[1] == 'done' then return {'done', r[4] or '', r[5] or '', r[6] or ''} end
if redis.call('HLEN', KEYS[1]) < (r[6] and 5 or 4) + tonumber(ARGV[6]) then
  redis.call('HSET', KEYS[1], 'to:' .. ARGV[2], ARGV[3])
end
return {'running', r[2], r[6] or ''}`;

/** ARGV: id, how long (ms) */
export const HOLD = `${NOW}
local r = redis.call('HMGET', KEYS[1], 'state', 'id')
if r[1] == 'running' and r[2] == ARGV[1] then redis.call('HSET', KEYS[1], 'held', now + ARGV[2]) end
return {}`;

/** ARGV: id */
export const RELEASE = `
local r = redis.call('HMGET', KEYS[1], 'state', 'id')
if r[1] == 'running' and r[2] == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0`;

/** ARGV: id */
export const BEGIN = `
local r = redis.call('HMGET', KEYS[1], 'state', 'id', 'head', 'body')
if r[2] ~= ARGV[1] then return {'lost'} end
if r[1] == 'done' then return {'done', r[3] or '', r[4] or ''} end
return {'claimed'}`;

/** ARGV: id, how long the answer is kept (ms; 0: not at all, the key is free), head, body */
export const SETTLE = `
local fields = redis.call('HGETALL', KEYS[1])
local state, id
local waiting = {'settled'}
for i = 1, #fields, 2 do
  if fields[i] == 'state' then state = fields[i + 1] end
  if fields[i] == 'id' then id = fields[i + 1] end
  if string.sub(fields[i], 1, 3) == 'to:' then
    table.insert(waiting, string.sub(fields[i], 4))
    table.insert(waiting, fields[i + 1])
  end
end
if state ~= 'running' or id ~= ARGV[1] then return {'lost'} end
if ARGV[2] == '0' then
  redis.call('DEL', KEYS[1])
  return waiting
end
for i = 2, #waiting, 2 do redis.call('HDEL', KEYS[1], 'to:' .. waiting[i]) end
redis.call('HSET', KEYS[1], 'state', 'done')
redis.call('HDEL', KEYS[1], 'held')
if ARGV[3] ~= '' then redis.call('HSET', KEYS[1], 'head', ARGV[3], 'body', ARGV[4]) end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return waiting`;
