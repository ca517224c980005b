import type { Redis } from 'ioredis';
import { once } from 'node:events';
import { connect, type AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { createHttpServer } from '../../gateway/server.ts';
import { loadConfig } from '../../shared/config.ts';
import { sendRaw } from '../helpers/http.ts';
import { startOwnRedis } from '../helpers/own-redis.ts';
import { startSystem } from '../helpers/system.ts';
import { waitFor } from '../helpers/wait.ts';

test('headers that trickle in are a request_timeout, and the connection is closed', async () => {
  const limits = loadConfig({ HEADERS_TIMEOUT_MS: '300', REQUEST_TIMEOUT_MS: '600' });
  const server = createHttpServer(() => Promise.resolve(), limits).listen(0, '127.0.0.1');
  await once(server, 'listening');
  async function* trickle(): AsyncGenerator<Buffer> {
    for (const char of 'GET / HTTP/1.1\r\nHost: a.example\r\nX-Slow: 123456789012345678901234567890') {
      yield Buffer.from(char);
      await sleep(20);
    }
  }
  const answer = await sendRaw((server.address() as AddressInfo).port, trickle(), 10_000);
  server.close();
  expect(answer.status).toBe(408);
  expect(answer.json()).toMatchObject({ code: 'request_timeout' });
  expect(answer.closed).toBe(true);
});

test('a client that is told so and keeps its side open is cut off', async () => {
  const limits = loadConfig({ HEADERS_TIMEOUT_MS: '300', REQUEST_TIMEOUT_MS: '600' });
  const server = createHttpServer(() => Promise.resolve(), limits).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = connect({ port: (server.address() as AddressInfo).port, allowHalfOpen: true });
  client.on('error', () => undefined);
  const told = (await once(client, 'data')) as [Buffer];
  expect(told.toString()).toContain('408');
  // Only now, with all connections gone.
  server.close();
  await once(server, 'close');
  client.destroy();
});

test('without a runner a request ends by its deadline', async () => {
  await using system = await startSystem({
    runners: 0,
    env: { REQUEST_DEADLINE_MS: '500', SCRIPT_TIMEOUT_MS: '400' },
  });
  const answer = await system.request({ hostname: 'a.example' });
  expect(answer.json()).toMatchObject({ code: 'deadline_exceeded', status: 504 });
});

test('a script that is still running at the deadline is stopped, and its sandbox is free again', async () => {
  await using system = await startSystem({
    env: { REQUEST_DEADLINE_MS: '800', SCRIPT_TIMEOUT_MS: '800', RUNNER_SANDBOXES: '1' },
  });
  await system.deploy('loop.example', 'for(;;){}');
  await system.deploy('a.example', 'setBody("ok")');
  const answer = await system.request({ hostname: 'loop.example' });
  expect(answer.status).toBe(504);
  await waitFor(
    'a free sandbox',
    async () => (await system.request({ hostname: 'a.example' })).text === 'ok',
  );
});

test('Redis away: queue_unavailable at once; back: served again with nobody’s help', async () => {
  await using redis = await startOwnRedis();
  await using system = await startSystem({ env: { REDIS_URL: redis.url } });
  await system.deploy('a.example', 'setBody("ok")');
  expect((await system.request({ hostname: 'a.example' })).text).toBe('ok');
  process.kill(redis.pid, 'SIGSTOP');
  const frozen = await system.request({ hostname: 'a.example' });
  process.kill(redis.pid, 'SIGCONT');
  expect(frozen.json()).toMatchObject({ code: 'queue_unavailable', status: 503 });
  expect(frozen.header('retry-after')).toBe('1');
  await waitFor('service', async () => (await system.request({ hostname: 'a.example' })).text === 'ok');
  await system.redis.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
  await waitFor('service', async () => (await system.request({ hostname: 'a.example' })).text === 'ok');
});

test('while Redis is nearly full no more answers are promised, and all others are given', async () => {
  await using redis = await startOwnRedis();
  await using system = await startSystem({ env: { REDIS_URL: redis.url } });
  await system.deploy('a.example', 'setBody("ok")');
  const request = { hostname: 'a.example', method: 'POST' };
  const later = { ...request, headers: [['Prefer', 'respond-async'] as const] };
  expect((await system.request(later)).status).toBe(202);
  await fill(system.redis);
  const refused = await system.request(later);
  expect(refused.json()).toMatchObject({ code: 'overloaded', status: 503 });
  expect((await system.request(request)).text).toBe('ok');
});

test('while Redis is nearly full, what is kept for an Idempotency-Key is that there was an answer', async () => {
  await using redis = await startOwnRedis();
  await using system = await startSystem({ env: { REDIS_URL: redis.url } });
  await system.deploy('a.example', 'setBody("x".repeat(Number(readRequestBody())))');
  const ask = (key: string, length: number) =>
    system.request({
      hostname: 'a.example',
      method: 'POST',
      headers: [['Idempotency-Key', `"${key}"`]],
      body: String(length),
    });
  expect((await ask('before', 5000)).text.length).toBe(5000);
  await fill(system.redis);
  expect((await ask('large', 5000)).text.length).toBe(5000);
  expect((await ask('small', 500)).text.length).toBe(500);
  expect((await ask('before', 5000)).header('idempotency-replayed')).toBe('true');
  expect((await ask('small', 500)).header('idempotency-replayed')).toBe('true');
  expect((await ask('large', 5000)).json()).toMatchObject({ code: 'idempotency_answer_too_large' });
});

test('a Redis that evicts keys is refused, with the command that mends it', async () => {
  await using redis = await startOwnRedis();
  await using system = await startSystem({
    runners: 0,
    env: { REDIS_URL: redis.url },
  });
  await system.redis.config('SET', 'maxmemory-policy', 'allkeys-lru');
  const refused = await system.addRunner().catch((error: Error) => error.message);
  expect(refused).toContain('CONFIG SET maxmemory-policy noeviction');
  // Who runs already says it when it finds it so after an outage.
  await system.redis.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
  await waitFor('the error', () =>
    system.gateway.records.some(
      ({ level, msg }) => level === 50 && msg.includes('CONFIG SET maxmemory-policy'),
    ),
  );
});

/** So that more than 80 % of what Redis may use is in use. */
async function fill(redis: Redis): Promise<void> {
  const used = /^used_memory:(\d+)/m.exec(await redis.info('memory'))?.[1];
  await redis.config('SET', 'maxmemory', Math.round(Number(used) * 1.15));
}
