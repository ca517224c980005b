import { spawnSync } from 'node:child_process';
import { Command, InvalidArgumentError } from 'commander';

/** The hostile suite for longer than in `npm test`. */
const { minutes, seed } = new Command('npm run test:hostile --')
  .description(
    'Attacks a whole system while a victim tenant looks on: ordinary clients first, to compare with,\n' +
      'then each family of cases by itself, both by one attacker and by four, then all in random order.\n' +
      'Prints two Markdown tables.',
  )
  .option('--minutes <n>', 'length of the random order', positive, 30)
  .option('--seed <n>', 'of the order, to have an earlier one again', whole, Date.now() % 2 ** 31)
  .parse()
  .opts<{ minutes: number; seed: number }>();
console.log(`the same order again: npm run test:hostile -- --minutes ${minutes} --seed ${seed}`);
const vitest = ['vitest', 'run', 'test/hostile/siege.test.ts', '--disable-console-intercept'];
const { status } = spawnSync('npx', vitest, {
  stdio: 'inherit',
  env: { ...process.env, HOSTILE_MINUTES: String(minutes), HOSTILE_SEED: String(seed) },
});
process.exit(status ?? 1);

function positive(text: string): number {
  if (!(Number(text) > 0)) throw new InvalidArgumentError('A positive number is expected.');
  return Number(text);
}

function whole(text: string): number {
  if (!Number.isSafeInteger(Number(text))) throw new InvalidArgumentError('A whole number is expected.');
  return Number(text);
}
