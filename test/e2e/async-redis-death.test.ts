import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { expect, onTestFinished, test } from 'vitest';
import { startRedis, type RedisService } from '../../scripts/services/redis.ts';
import { answerAt, locationIn, sendLater } from '../helpers/later.ts';
import { startSystem, type System } from '../helpers/system.ts';

const HOST = 'a.example';

/** A Redis that keeps an append-only file in a folder. */
async function redisIn(directory: string): Promise<RedisService> {
  const env = { PATH: process.env['PATH'] ?? '' };
  return startRedis({ directory, env, onCrash: () => undefined });
}

async function kill(service: RedisService): Promise<void> {
  const redis = new Redis(service.url, { retryStrategy: () => null });
  const pid = /^process_id:(\d+)/m.exec(await redis.info('server'))?.[1];
  redis.disconnect();
  process.kill(Number(pid), 'SIGKILL');
  await service[Symbol.asyncDispose]();
}

/** Without a runner. */
async function systemAt(redis: RedisService): Promise<System> {
  const env = { REDIS_URL: redis.url, QUEUE_PREFIX: 'lc500' };
  const system = await startSystem({ env, runners: 0 });
  await system.deploy(HOST, 'setBody(readRequestBody() + " done")');
  return system;
}

test('kill -9 of everything, Redis too, after 202: what Redis had written down is done', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'lc500-death-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  const first = await redisIn(directory);
  const before = await systemAt(first);
  const accepted = await sendLater(before.port, { hostname: HOST, method: 'POST', body: 'it is' });
  const location = locationIn(accepted);
  before.gateway.signal('SIGKILL');
  await before.gateway.exit;
  await before[Symbol.asyncDispose]();
  await kill(first);

  await using second = await redisIn(directory);
  await using after = await systemAt(second);
  await after.addRunner();
  const { status, text } = await answerAt(after.port, HOST, location);
  expect([status, text]).toEqual([200, 'it is done']);
});
