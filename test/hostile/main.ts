import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';

/**
 * The hostile suite for longer: `npm run test:hostile -- --minutes 30`, and `--seed` for the order of an earlier run.
 * Prints two Markdown tables.
 */
const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '30' },
    seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
  },
});
const minutes = Number(values.minutes);
const seed = Number(values.seed);
if (!(minutes > 0) || !Number.isSafeInteger(seed)) {
  console.error('usage: npm run test:hostile -- [--minutes 30] [--seed 1]');
  process.exit(1);
}
console.log(`the same order again: npm run test:hostile -- --minutes ${minutes} --seed ${seed}`);
const vitest = ['vitest', 'run', 'test/hostile/siege.test.ts', '--disable-console-intercept'];
const { status } = spawnSync('npx', vitest, {
  stdio: 'inherit',
  env: { ...process.env, HOSTILE_MINUTES: String(minutes), HOSTILE_SEED: String(seed) },
});
process.exit(status ?? 1);
