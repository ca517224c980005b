import { parseArgs } from 'node:util';
import { startTestS3 } from '../helpers/s3.ts';
import { FAULTS } from './catalogue/all.ts';
import { lineOf, summaryOf, tableOf } from './report.ts';
import { runAll } from './schedule.ts';

const HELP = `npm run test:faults -- [options]

  --seeds N       seeds for each fault (3)
  --first N       the first of them (1)
  --only REGEXP   faults whose name matches
  --parallel N    systems at a time (4)
  --patience N    recovery and refusals may take so many times as long as promised, on a machine with more to do (1)
  --list          names of all faults

Each run is one fault at one seed: two gateways and two runners with a Redis of their own, under load.
Ends with the README's table; exits 1 when anything was not as it should be.`;

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '3' },
    first: { type: 'string', default: '1' },
    only: { type: 'string', default: '' },
    parallel: { type: 'string', default: '4' },
    patience: { type: 'string', default: '1' },
    list: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) console.log(HELP);
else if (values.list) for (const { name, what } of FAULTS) console.log(`${name}: ${what}`);
else process.exit(await main());

async function main(): Promise<number> {
  // Each process that is started is ended with this one.
  process.setMaxListeners(0);
  const began = performance.now();
  const faults = FAULTS.filter(({ name }) => new RegExp(values.only).test(name));
  const first = Number(values.first);
  const seeds = Array.from({ length: Number(values.seeds) }, (_, i) => first + i);
  await using s3 = await startTestS3();
  const outcomes = await runAll({
    faults,
    seeds,
    parallel: Number(values.parallel),
    patience: Number(values.patience),
    s3: s3.env,
    onRun: (fault, result) => console.log(lineOf(fault, result)),
  });
  console.log(`\n${tableOf(outcomes)}\n`);
  console.log(summaryOf(outcomes, (performance.now() - began) / 1000));
  const isBad = outcomes.some(({ runs }) => runs.some((run) => 'error' in run || run.problems.length > 0));
  return isBad ? 1 : 0;
}
