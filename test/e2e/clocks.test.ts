import { Redis } from 'ioredis';
import { afterEach, expect, inject, test } from 'vitest';
import { RedisClock } from '../../shared/clock.ts';
import { startSystem, type System } from '../helpers/system.ts';
import { waitFor } from '../helpers/wait.ts';

let system: System | undefined;
afterEach(async () => {
  await system?.[Symbol.asyncDispose]();
  system = undefined;
});

const HOUR_MS = 3_600_000;

test.each([-HOUR_MS, 0, HOUR_MS])('Redis’s time is known though this clock is %i ms off', async (off) => {
  const redis = new Redis(inject('services').REDIS_URL);
  const clock = new RedisClock(redis, () => performance.timeOrigin + performance.now() + off);
  await clock.start();
  const [seconds, micros] = (await redis.time()).map(Number) as [number, number];
  expect(Math.abs(clock.now() - (seconds * 1000 + micros / 1000))).toBeLessThan(2000);
  clock.stop();
  redis.disconnect();
});

/** For a process's environment: all its clocks are wrong from its first line on. */
function wrongClock(off: number): Record<string, string> {
  const source = `
    const now = Date.now;
    Date.now = () => now() + ${off};
    Object.defineProperty(performance, 'timeOrigin', { value: performance.timeOrigin + ${off} });`;
  return { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(source)}` };
}

test('a runner whose clock is an hour ahead serves, and does not take requests for expired', async () => {
  system = await startSystem({ runners: 0 });
  await system.addRunner(wrongClock(HOUR_MS));
  await system.deploy('a.example', 'setBody("ok")');
  expect((await system.request({ hostname: 'a.example' })).text).toBe('ok');
});

test('a runner whose clock is an hour behind does not run what has expired', async () => {
  system = await startSystem({
    runners: 0,
    env: { REQUEST_DEADLINE_MS: '500', SCRIPT_TIMEOUT_MS: '500' },
  });
  await system.deploy('a.example', 'console.log("ran")');
  expect((await system.request({ hostname: 'a.example' })).json()).toMatchObject({
    code: 'deadline_exceeded',
  });
  const runner = await system.addRunner(wrongClock(-HOUR_MS));
  const { redis, env } = system;
  const records = `${env['QUEUE_PREFIX']}:records:all`;
  await waitFor('its end', async () => (await redis.zcard(records)) === 1);
  expect(runner.output()).not.toContain('"console"');
});
