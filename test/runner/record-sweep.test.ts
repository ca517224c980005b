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
  const add = async (id: string, script: string, acceptedAt = Date.now()): Promise<void> => {
    const invocation = {
      id,
      hostname: 'a.example',
      request: { method: 'POST', url: '/', headers: [], body: Buffer.alloc(70_000) },
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
