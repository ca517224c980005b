import { Redis } from 'ioredis';
import { expect, test } from 'vitest';
import { timeOutCommands } from '../../shared/command-timeout.ts';
import { startOwnRedis } from '../helpers/own-redis.ts';

async function connect() {
  const server = await startOwnRedis();
  const redis = new Redis(server.url);
  timeOutCommands(redis, 200);
  await redis.ping();
  return {
    redis,
    freeze: () => process.kill(server.pid, 'SIGSTOP'),
    async [Symbol.asyncDispose]() {
      process.kill(server.pid, 'SIGCONT');
      redis.disconnect();
      await server[Symbol.asyncDispose]();
    },
  };
}

test('a command that Redis does not answer fails', async () => {
  await using rig = await connect();
  rig.freeze();
  await expect(rig.redis.get('key')).rejects.toThrow('Command timed out');
});

test('one whose answer came while this process was held up does not', async () => {
  await using rig = await connect();
  const answers = Promise.all([rig.redis.set('key', 'value'), rig.redis.get('key')]);
  await new Promise((resolve) => setImmediate(resolve));
  const end = performance.now() + 500;
  while (performance.now() < end);
  expect(await answers).toEqual(['OK', 'value']);
});

test('nor is Redis waited for in vain when both are held up', async () => {
  await using rig = await connect();
  rig.freeze();
  const answer = rig.redis.get('key');
  await new Promise((resolve) => setImmediate(resolve));
  const end = performance.now() + 500;
  while (performance.now() < end);
  await expect(answer).rejects.toThrow('Command timed out');
});
