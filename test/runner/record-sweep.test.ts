import { Redis } from 'ioredis';
import { nanoid } from 'nanoid';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { sweepBucket } from '../../runner/record-sweep.ts';
import { loadConfig } from '../../shared/config.ts';
import { makeRecord } from '../../shared/records/make-record.ts';
import { partKeyOf, RecordBucket, sha256Of, versionKeyOf } from '../../shared/records/record-bucket.ts';
import { RecordStore } from '../../shared/records/record-store.ts';
import { createS3 } from '../../shared/s3.ts';
import { startTestS3, type TestS3 } from '../helpers/s3.ts';

let s3: TestS3;
const redis = new Redis(inject('services').REDIS_URL);
beforeAll(async () => {
  s3 = await startTestS3();
});
afterAll(async () => {
  redis.disconnect();
  await s3[Symbol.asyncDispose]();
});

function parts(env: Record<string, string> = {}) {
  const config = loadConfig({ ...s3.env, QUEUE_PREFIX: `test-${nanoid().replaceAll('_', 'x')}`, ...env });
  const client = createS3(config);
  const bucket = new RecordBucket(client, config);
  const store = new RecordStore(redis, bucket, config);
  const add = async (
    id: string,
    script: string,
    acceptedAt = Date.now(),
    { hostname = 'a.example', bytes = 70_000 } = {},
  ): Promise<void> => {
    const invocation = {
      id,
      hostname,
      request: { method: 'POST', url: '/', headers: [], body: Buffer.alloc(bytes) },
      scriptKey: 'a.example/index.js',
      blueprintKey: null,
      deadline: 0,
      replyTo: 'x',
    };
    const outcome = { kind: 'failure', code: 'script_error' } as const;
    const finished = { invocation, kind: 'failed', acceptedAt, attempts: 1, outcome } as const;
    const made = await makeRecord({ ...finished, script: Buffer.from(script) }, config, bucket);
    await store.add(made.record, made.parts);
  };
  const has = (script: string) => bucket.has(versionKeyOf('a.example', sha256Of(Buffer.from(script))));
  return { config, s3: client, bucket, store, add, has };
}

const FUTURE = Date.now() + 3_600_000;

test('the bucket keeps what a record needs, and loses the rest when it is old enough', async () => {
  const { add, has, ...all } = parts();
  await add('one', 'first');
  await add('two', 'first');
  await add('three', 'second');
  await all.store.remove('one');
  await all.store.remove('three');
  expect(await sweepBucket(all, Date.now() - 3_600_000)).toBe(0);
  expect(await sweepBucket(all, FUTURE)).toBe(1);
  expect([await has('first'), await has('second')]).toEqual([true, false]);
  // Removing a record removes its bodies at once.
  expect(await all.bucket.has(partKeyOf('one', 'request'))).toBe(false);
  expect((await all.bucket.get(partKeyOf('two', 'request')))?.length).toBe(70_000);
});

test('when Redis was emptied, the bucket is emptied, too', async () => {
  const { add, ...all } = parts();
  await add('lost', 'third');
  for (const key of await redis.keys(`${all.config.QUEUE_PREFIX}:*`)) await redis.del(key);
  await sweepBucket(all, FUTURE);
  expect(await all.bucket.has(partKeyOf('lost', 'request'))).toBe(false);
});

test('what is too many, or too old, goes', async () => {
  const { add, store, config } = parts({ FAILED_RETENTION_COUNT: '3', FAILED_RETENTION_HOURS: '1' });
  const now = Date.now();
  for (let i = 0; i < 5; i++) await add(`n${i}`, 'x', now + i);
  expect((await store.list({}, 10)).ids).toEqual(['n4', 'n3', 'n2']);
  // It is not given out even before it is taken out.
  const day = parts({ QUEUE_PREFIX: config.QUEUE_PREFIX, FAILED_RETENTION_HOURS: '24' });
  await day.add('old', 'x', now - 2 * 3_600_000);
  expect((await day.store.list({}, 10)).ids).toContain('old');
  expect((await store.list({}, 10)).ids).not.toContain('old');
  expect(await store.get('old')).toBeUndefined();
  await store.expire();
  expect(await store.has('old')).toBe(false);
  const indexes = await redis.keys(`${config.QUEUE_PREFIX}:records:by:*`);
  for (const index of indexes) expect(await redis.zscore(index, 'old')).toBeNull();
});

test('a tenant that fails all the time pushes out its own records and nobody else’s', async () => {
  const { add, store, config } = parts({ FAILED_RETENTION_COUNT: '5' });
  const now = Date.now();
  const [few, many] = [{ hostname: 'few.example' }, { hostname: 'many.example' }];
  for (let i = 0; i < 2; i++) await add(`few${i}`, 'x', now + i, few);
  for (let i = 0; i < 9; i++) await add(`many${i}`, 'x', now + 10 + i, many);
  expect((await store.list({}, 10)).ids).toEqual(['many8', 'many7', 'many6', 'few1', 'few0']);
  // Who comes new has room, too.
  await add('new0', 'x', now + 30, { hostname: 'new.example' });
  expect((await store.list({}, 10)).ids).toEqual(['new0', 'many8', 'many7', 'few1', 'few0']);
  for (const id of ['many7', 'many8']) await store.remove(id);
  const weights = await redis.zrange(`${config.QUEUE_PREFIX}:records:weights:kind=failed`, '0', '-1');
  expect(weights.sort()).toEqual(['kind=failed,tenant=few.example', 'kind=failed,tenant=new.example']);
});

test('where each tenant has one record, the oldest of all goes', async () => {
  const { add, store } = parts({ FAILED_RETENTION_COUNT: '3' });
  const now = Date.now();
  for (let i = 0; i < 6; i++) await add(`t${i}`, 'x', now + i, { hostname: `t${5 - i}.example` });
  expect((await store.list({}, 10)).ids).toEqual(['t5', 't4', 't3']);
});

test('records take no more of Redis than they may, whatever their size', async () => {
  const { add, store, config } = parts({ FAILED_RETENTION_MB: '1' });
  const now = Date.now();
  await add('small', 'x', now, { hostname: 'small.example', bytes: 10 });
  for (let i = 0; i < 40; i++)
    await add(`large${i}`, 'x', now + i, { hostname: 'large.example', bytes: 60_000 });
  const { ids } = await store.list({}, 100);
  expect(ids).toContain('small');
  // Sixteen of the large ones are a little under a mebibyte.
  expect(ids.length).toBe(17);
  const weight = Number(await redis.get(`${config.QUEUE_PREFIX}:records:weight:kind=failed`));
  expect(weight).toBeGreaterThan(0.9 * 2 ** 20);
  expect(weight).toBeLessThanOrEqual(2 ** 20);
  for (const id of ids) await store.remove(id);
  expect(await redis.get(`${config.QUEUE_PREFIX}:records:weight:kind=failed`)).toBe('0');
  expect(await redis.exists(`${config.QUEUE_PREFIX}:records:weights:kind=failed`)).toBe(0);
});

test('weight that records have left is forgotten when there are none', async () => {
  const { add, store, config } = parts({ FAILED_RETENTION_MB: '1' });
  await add('small', 'x', Date.now(), { hostname: 'small.example', bytes: 10 });
  // Records that ended by themselves have left their weight.
  await redis.incrby(`${config.QUEUE_PREFIX}:records:weight:kind=failed`, 2 ** 20);
  await add('large', 'x', Date.now() + 1, { hostname: 'large.example', bytes: 60_000 });
  expect((await store.list({}, 10)).ids).toEqual([]);
  await add('later', 'x', Date.now() + 2, { hostname: 'small.example', bytes: 10 });
  expect((await store.list({}, 10)).ids).toEqual(['later']);
});
