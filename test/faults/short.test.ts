import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestS3, type TestS3 } from '../helpers/s3.ts';
import { FAULTS } from './catalogue/all.ts';
import type { Fault } from './fault.ts';
import { startLab } from './lab.ts';
import { takeBaseline } from './leaks.ts';
import { run } from './run.ts';
import { DEFAULTS } from './schedule.ts';

/** A few of each kind that take little time, on one system; `npm run test:faults` runs them all. */
const SHORT = ['script-flush', 'client-kill-all', 'maxmemory', 'redis-sigkill-always', 'sandbox-sigkill'];
/** The machine that this runs on has other things to do. */
const PATIENCE = 5;
const SEED = 1;

let s3: TestS3;
beforeAll(async () => {
  s3 = await startTestS3();
});
afterAll(() => s3[Symbol.asyncDispose]());

test('no fault of the short list loses, doubles, crosses or hangs a request, or leaves anything behind', async () => {
  await using lab = await startLab({ ...DEFAULTS, persistence: 'always', s3: s3.env });
  const baseline = await takeBaseline(lab);
  for (const [i, name] of SHORT.entries()) {
    const fault = FAULTS.find((one) => one.name === name) as Fault;
    const { problems } = await run(lab, baseline, fault, SEED + i, PATIENCE);
    expect({ name, problems }).toEqual({ name, problems: [] });
  }
}, 120_000);

test('every fault has a name of its own', () => {
  const names = FAULTS.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  expect(names.length).toBeGreaterThanOrEqual(25);
});
