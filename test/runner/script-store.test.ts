import { DeleteObjectCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { setTimeout as sleep } from 'node:timers/promises';
import { crc32 } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ScriptStore, type ServedScript } from '../../runner/script-store.ts';
import { loadConfig } from '../../shared/config.ts';
import { createLog } from '../../shared/log.ts';
import { createS3 } from '../../shared/s3.ts';
import { HANG, NONE, SLOW_DOWN, startFaultyProxy, type Fault } from '../helpers/faulty-proxy.ts';
import { startTestS3, type TestS3 } from '../helpers/s3.ts';
import { waitFor } from '../helpers/wait.ts';

const NEVER = new AbortController().signal;
const ONE = '/* the first version of a script */ setBody("one")';
const SPOILT: Fault = {
  kind: 'change',
  change: (answer) => void (answer.body = Buffer.from(answer.body.toString().replace('one', 'two'))),
};
const HALVED: Fault = {
  kind: 'change',
  change(answer) {
    answer.body = answer.body.subarray(0, 20);
    answer.headers['content-length'] = 20;
  },
};
const TOO_SHORT: Fault = {
  kind: 'change',
  change: ({ headers }) => void (headers['content-length'] = Number(headers['content-length']) - 5),
};
const TOO_LONG: Fault = {
  kind: 'change',
  change: ({ headers }) => void (headers['content-length'] = Number(headers['content-length']) + 5),
};

let storage: TestS3;
let direct: S3Client;
beforeAll(async () => {
  storage = await startTestS3();
  direct = createS3(loadConfig(storage.env));
});
afterAll(async () => {
  direct.destroy();
  await storage[Symbol.asyncDispose]();
});

/** What S3 sends beside an object whose ETag says nothing about its content. */
const withChecksum = (headers: Record<string, string>, spoil = false): Fault => ({
  kind: 'change',
  change(answer) {
    Object.assign(answer.headers, { etag: '"0123456789abcdef0123456789abcdef"', ...headers });
    if (spoil && SPOILT.kind === 'change') SPOILT.change(answer);
  },
});

function checksumOf(text: string): string {
  const sum = Buffer.alloc(4);
  sum.writeUInt32BE(crc32(text));
  return sum.toString('base64');
}

let count = 0;

/** A store behind a proxy, and a key that nobody else uses. */
async function startStore(env: Record<string, string> = {}, freshMs?: number) {
  const proxy = await startFaultyProxy(storage.env['AWS_ENDPOINT'] as string);
  const change = { AWS_ENDPOINT: proxy.url, SCRIPT_REVALIDATE_MS: '0', UPSTREAM_TIMEOUT_MS: '500', ...env };
  const loaded = loadConfig({ ...storage.env, ...change });
  const config = { ...loaded, SCRIPT_REVALIDATE_MS: freshMs ?? loaded.SCRIPT_REVALIDATE_MS };
  const s3 = createS3(config, 1);
  const store = new ScriptStore(s3, config, createLog('test', 'silent'));
  const key = `${++count}.example/index.js`;
  return {
    proxy,
    store,
    key,
    put: async (source: string, Key = key) =>
      void (await direct.send(new PutObjectCommand({ Bucket: storage.bucket, Key, Body: source }))),
    remove: async () =>
      void (await direct.send(new DeleteObjectCommand({ Bucket: storage.bucket, Key: key }))),
    get: async (Key = key, signal = NEVER) => shown(await store.get(Key, signal)),
    async [Symbol.asyncDispose]() {
      s3.destroy();
      await proxy[Symbol.asyncDispose]();
    },
  };
}

const shown = ({ source, staleMs }: ServedScript) => [
  source.toString(),
  staleMs === undefined ? 'fresh' : 'stale',
];
const code = (name: string) => expect.objectContaining({ code: name }) as Error;

describe('one failure', () => {
  test.each<[string, Fault]>([
    ['a broken connection', { kind: 'reset' }],
    ['an answer cut off', { kind: 'cut' }],
    ['an answer that stalls', { kind: 'stall' }],
    ['no answer', HANG],
    ['an error of the server', { kind: 'answer', status: 500 }],
    ['a server that is too busy', SLOW_DOWN],
    ['other bytes', SPOILT],
    ['half of it, as if it were all', HALVED],
    ['a length that is too short', TOO_SHORT],
    ['a length that is too long', TOO_LONG],
  ])('%s is made good by asking again', async (_what, fault) => {
    await using it = await startStore();
    await it.put(ONE);
    it.proxy.next(fault);
    expect(await it.get()).toEqual([ONE, 'fresh']);
    expect(it.proxy.asked).toHaveLength(2);
  });
});

describe('failures that last', () => {
  test.each<[string, Fault]>([
    ['a broken connection', { kind: 'reset' }],
    ['an answer cut off', { kind: 'cut' }],
    ['no answer', HANG],
    ['a server that is too busy', SLOW_DOWN],
    ['other bytes', SPOILT],
    ['half of it, as if it were all', HALVED],
  ])('%s: nothing without a known script, the known one stale', async (_what, fault) => {
    await using it = await startStore();
    await it.put(ONE);
    it.proxy.always(fault);
    await expect(it.get()).rejects.toThrow(code('storage_unavailable'));
    expect(it.proxy.asked).toHaveLength(3);
    it.proxy.always(NONE);
    expect(await it.get()).toEqual([ONE, 'fresh']);
    // Another version, so that there is a body to be spoilt.
    await it.put(`${ONE}//`);
    it.proxy.always(fault);
    expect(await it.get()).toEqual([ONE, 'stale']);
    expect(it.store.counts.stale).toBe(1);
    it.proxy.always(NONE);
    await waitFor('the new version', async () => (await it.get())[1] === 'fresh');
    expect(await it.get()).toEqual([`${ONE}//`, 'fresh']);
  });

  test('connections refused: the same', async () => {
    await using it = await startStore();
    await it.put(ONE);
    await it.proxy.refuse();
    await expect(it.get()).rejects.toThrow(code('storage_unavailable'));
    await it.proxy.accept();
    expect(await it.get()).toEqual([ONE, 'fresh']);
    await it.proxy.refuse();
    expect(await it.get()).toEqual([ONE, 'stale']);
  });

  test('a script that has been stale for too long is not served', async () => {
    await using it = await startStore({ SCRIPT_STALE_MS: '1000' });
    await it.put(ONE);
    expect(await it.get()).toEqual([ONE, 'fresh']);
    it.proxy.always({ kind: 'reset' });
    expect(await it.get()).toEqual([ONE, 'stale']);
    await waitFor('the end of its time', () =>
      it.get().then(
        () => false,
        (error: unknown) => {
          expect(error).toEqual(code('storage_unavailable'));
          return true;
        },
      ),
    );
  });

  test('a script that was removed is not served stale', async () => {
    await using it = await startStore();
    await it.put(ONE);
    expect(await it.get()).toEqual([ONE, 'fresh']);
    await it.remove();
    await expect(it.get()).rejects.toThrow(code('script_not_found'));
    it.proxy.always(SLOW_DOWN);
    await expect(it.get()).rejects.toThrow(code('storage_unavailable'));
  });

  test('what the storage refuses to give is neither asked for again nor served stale', async () => {
    await using it = await startStore();
    await it.put(ONE);
    expect(await it.get()).toEqual([ONE, 'fresh']);
    it.proxy.forget();
    it.proxy.always({ kind: 'answer', status: 403, body: '<Error><Code>AccessDenied</Code></Error>' });
    await expect(it.get()).rejects.toThrow(code('storage_unavailable'));
    expect(it.proxy.asked).toHaveLength(1);
  });

  test('one known script for requests with little time is served before their time is up', async () => {
    await using it = await startStore({ UPSTREAM_TIMEOUT_MS: '20000', REQUEST_DEADLINE_MS: '1000' });
    await it.put(ONE);
    expect(await it.get()).toEqual([ONE, 'fresh']);
    it.proxy.always(HANG);
    expect(await it.get()).toEqual([ONE, 'stale']);
  });
});

describe('a storage that is known to be away', () => {
  test('known scripts are served at once, few reads are tried for others', async () => {
    await using it = await startStore();
    await it.put(ONE);
    await it.get();
    it.proxy.always(HANG);
    expect(await it.get()).toEqual([ONE, 'stale']);
    it.proxy.forget();
    const others = Array.from({ length: 50 }, (_, i) =>
      it.get(`other-${i}`).catch((error: unknown) => error),
    );
    expect(await it.get()).toEqual([ONE, 'stale']);
    expect(await Promise.all(others)).toEqual(Array.from({ length: 50 }, () => code('storage_unavailable')));
    const tried = new Set(it.proxy.asked.filter((line) => line.includes('other-')));
    expect(tried.size).toBeLessThanOrEqual(2);
  });

  test('one object in trouble does not make it away for others', async () => {
    await using it = await startStore();
    await it.put(ONE);
    await it.put(ONE, 'healthy');
    it.proxy.always(HANG);
    await expect(it.get()).rejects.toThrow(code('storage_unavailable'));
    it.proxy.next(HANG);
    it.proxy.always(NONE);
    const trouble = it.get();
    await waitFor('the first read', () => it.proxy.asked.length === 4);
    expect(await it.get('healthy')).toEqual([ONE, 'fresh']);
    expect(await trouble).toEqual([ONE, 'fresh']);
  });
});

describe('one read at a time', () => {
  test('50 at once are one GET', async () => {
    await using it = await startStore();
    await it.put(ONE);
    it.proxy.always({ kind: 'delay', ms: 100 });
    const all = await Promise.all(Array.from({ length: 50 }, () => it.get()));
    expect(all).toEqual(Array.from({ length: 50 }, () => [ONE, 'fresh']));
    expect(it.proxy.asked).toHaveLength(1);
  });

  test('50 at once for a missing one, too', async () => {
    await using it = await startStore();
    const all = await Promise.all(
      Array.from({ length: 50 }, () => it.get().catch((error: unknown) => error)),
    );
    expect(all).toEqual(Array.from({ length: 50 }, () => code('script_not_found')));
    expect(it.proxy.asked).toHaveLength(1);
  });

  test('who leaves takes nobody along', async () => {
    await using it = await startStore();
    await it.put(ONE);
    it.proxy.always({ kind: 'delay', ms: 100 });
    const impatient = new AbortController();
    const first = it.get(it.key, impatient.signal);
    const second = it.get();
    const reason = new Error('gone');
    impatient.abort(reason);
    await expect(first).rejects.toBe(reason);
    expect(await second).toEqual([ONE, 'fresh']);
    expect(it.proxy.asked).toHaveLength(1);
  });

  test('nobody waits any more: nothing is tried again', async () => {
    await using it = await startStore();
    const end = new AbortController();
    it.proxy.always({
      kind: 'change',
      change() {
        end.abort(new Error('gone'));
        throw new Error('breaks the connection');
      },
    });
    await expect(it.get(it.key, end.signal)).rejects.toThrow('gone');
    // Longer than the longest pause between two tries.
    await sleep(500);
    expect(it.proxy.asked).toHaveLength(1);
  });
});

describe('what is remembered', () => {
  test('a script for SCRIPT_REVALIDATE_MS, then it is asked for by its ETag', async () => {
    await using it = await startStore({ SCRIPT_REVALIDATE_MS: '1000' });
    await it.put(ONE);
    for (let i = 0; i < 20; i++) await it.get();
    const before = it.proxy.asked.length;
    expect(before).toBeLessThan(20);
    await it.put(`${ONE}//`);
    await waitFor('the new version', async () => (await it.get())[0] === `${ONE}//`, { timeoutMs: 3000 });
  });

  test('that there is none for as long, and not at all with 0', async () => {
    await using it = await startStore({ SCRIPT_REVALIDATE_MS: '1000' });
    for (let i = 0; i < 20; i++) await expect(it.get()).rejects.toThrow(code('script_not_found'));
    expect(it.proxy.asked.length).toBeLessThan(20);
    await it.put(ONE);
    await waitFor(
      'the script',
      () =>
        it.get().then(
          () => true,
          () => false,
        ),
      { timeoutMs: 3000 },
    );

    await using at0 = await startStore();
    await expect(at0.get()).rejects.toThrow(code('script_not_found'));
    await at0.put(ONE);
    expect(await at0.get()).toEqual([ONE, 'fresh']);
  });
});

describe('checksums', () => {
  const crc = { 'x-amz-checksum-crc32': checksumOf(ONE) };

  test('one that the server sends rules, not the ETag', async () => {
    await using it = await startStore();
    await it.put(ONE);
    it.proxy.always(withChecksum(crc));
    expect(await it.get()).toEqual([ONE, 'fresh']);
    it.proxy.always(withChecksum(crc, true));
    await it.put(`${ONE}//`);
    expect(await it.get()).toEqual([ONE, 'stale']);
  });

  test('an ETag that is no MD5 is not taken for one', async () => {
    await using it = await startStore();
    await it.put(ONE);
    it.proxy.always(withChecksum({}));
    await expect(it.get()).rejects.toThrow(code('storage_unavailable'));
    it.proxy.always(withChecksum({ 'x-amz-server-side-encryption': 'aws:kms' }));
    expect(await it.get()).toEqual([ONE, 'fresh']);
  });
});

test('a script in use is asked for before its time is up, and nobody waits for that', async () => {
  // Longer than a deployment may have it, so that a test that is held up for a second is not too late.
  await using it = await startStore({}, 4000);
  await it.put(ONE);
  await it.get();
  await it.put(`${ONE}//`);
  it.proxy.always({ kind: 'delay', ms: 100 });
  await waitFor('a read ahead', async () => {
    expect(await it.get()).toEqual([ONE, 'fresh']);
    return it.proxy.asked.length > 1;
  });
  await waitFor('the new version', async () => (await it.get())[0] === `${ONE}//`);
});

test('a script that would push out everybody else’s is not kept', async () => {
  await using it = await startStore({ SCRIPT_REVALIDATE_MS: '1000', SCRIPT_CACHE_MB: '1' }, 60_000);
  const large = `${++count}.example/index.js`;
  await it.put(ONE);
  await it.put(' '.repeat(300_000), large);
  for (const key of [it.key, large, large, it.key]) await it.get(key);
  expect(it.proxy.asked.filter((asked) => asked.includes(it.key))).toHaveLength(1);
  expect(it.proxy.asked.filter((asked) => asked.includes(large))).toHaveLength(2);
});

test('a script larger than a heap is memory_limit', async () => {
  await using it = await startStore({ SCRIPT_MEMORY_MB: '8' });
  await it.put(' '.repeat(9 * 1_048_576));
  await expect(it.get()).rejects.toThrow(code('memory_limit'));
});

test('that it is too large is remembered, until it may be another', async () => {
  await using it = await startStore({ SCRIPT_MEMORY_MB: '8' }, 300);
  await it.put(' '.repeat(9 * 1_048_576));
  for (let i = 0; i < 5; i++) await expect(it.get()).rejects.toThrow(code('memory_limit'));
  expect(it.proxy.asked.length).toBeLessThan(5);
  await it.put(ONE);
  await waitFor('the new version', () =>
    it.get().then(
      () => true,
      () => false,
    ),
  );
});

test.each(['with', 'without'])(
  'scripts larger than a heap, %s a checksum, keep no connection from others',
  async (which) => {
    await using it = await startStore({ SCRIPT_MEMORY_MB: '8', UPSTREAM_TIMEOUT_MS: '5000' });
    const large = ' '.repeat(9 * 1_048_576);
    await it.put(large);
    const other = `${++count}.example/index.js`;
    await it.put(ONE, other);
    const crc = { 'x-amz-checksum-crc32': checksumOf(large) };
    if (which === 'with') it.proxy.always(withChecksum(crc));
    // The SDK has 50 connections.
    for (let i = 0; i < 60; i++) await expect(it.get()).rejects.toThrow(code('memory_limit'));
    it.proxy.always(NONE);
    expect(await it.get(other)).toEqual([ONE, 'fresh']);
  },
  60_000,
);
