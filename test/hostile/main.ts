import { spawnSync } from 'node:child_process';
import { Command, InvalidArgumentError } from 'commander';

/** The hostile suite for longer than in `npm test`. */
const { minutes, seed } = new Command('npm run test:hostile --')
  .description(
    'Attacks a whole system while a victim tenant looks on: each family of cases by itself, then all in random order.\n' +
      'Prints two Markdown tables.',
  )
  .option('--minutes <n>', 'length of the random order', atLeast(Number.MIN_VALUE), 30)
  .option('--seed <n>', 'of the order, to have an earlier one again', atLeast(0), Date.now() % 2 ** 31)
  .parse()
  .opts<{ minutes: number; seed: number }>();
console.log(`the same order again: npm run test:hostile -- --minutes ${minutes} --seed ${seed}`);
const vitest = ['vitest', 'run', 'test/hostile/siege.test.ts', '--disable-console-intercept'];
const { status } = spawnSync('npx', vitest, {
  stdio: 'inherit',
  env: { ...process.env, HOSTILE_MINUTES: String(minutes), HOSTILE_SEED: String(seed) },
});
process.exit(status ?? 1);

function atLeast(least: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!(value >= least) || !Number.isFinite(value)) throw new InvalidArgumentError('A number is expected.');
    return value;
  };
}
