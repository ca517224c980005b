import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { Usage } from '../../runner/usage.ts';

test('a run that is left out is busy, and counts neither as a run nor with its time', async () => {
  const usage = new Usage();
  usage.begin();
  const endLeftOut = usage.leaveOut();
  await sleep(20);
  expect(usage.read()).toMatchObject({ busy: 1, runs: 0 });
  expect(usage.read().busyMs).toBeLessThan(5);
  usage.begin();
  await sleep(20);
  usage.end();
  endLeftOut();
  usage.end();
  const { busy, runs, busyMs } = usage.read();
  expect(busy).toBe(0);
  expect(runs).toBeGreaterThan(0.9);
  expect(runs).toBeLessThan(1.1);
  expect(busyMs).toBeGreaterThan(10);
});
