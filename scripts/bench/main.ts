import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Command } from 'commander';
import { openLab, type Lab } from './lab.ts';
import type { Sample } from './measured-load.ts';
import { plan } from './plan.ts';
import { machine, summarizeRounds, table, verdictLine } from './report.ts';
import { soak } from './soak.ts';
import { HELLO, manyHosts } from './tenants.ts';
import { judge, type Round } from './verdicts.ts';
import { runWrk } from './wrk.ts';

interface Options {
  rounds: string;
  seconds: string;
  warm: string;
  only?: string;
  soak: string;
  json: string;
}

const command = new Command('npm run bench --')
  .description(
    'Measures lc500 beside the isolate floor, the queue floor, workerd and Node’s own ways, on this machine.',
  )
  .option('--rounds <n>', 'interleaved rounds; figures are medians over them', '5')
  .option('--seconds <n>', 'length of each measurement', '3')
  .option('--warm <n>', 'load before that for each runner, seconds', '10')
  .option('--only <regexp>', 'measure only what has a matching name')
  .option('--soak <requests>', 'requests of the memory measurement, 0 for none', '100000')
  .option('--json <file>', 'write every figure there', 'bench.json')
  .action(bench);

await command.parseAsync();

async function bench(options: Options): Promise<void> {
  installPeers();
  // Each process that is started is ended with this one.
  process.setMaxListeners(0);
  await using lab = await openLab();
  const only = new RegExp(options.only ?? '', 'i');
  const measurements = plan(lab, Number(options.seconds)).filter(({ name }) => only.test(name));
  const rounds: Map<string, Sample>[] = [];
  // An unmeasured pass first: code is compiled, caches are filled, connections stand.
  await warmUp(lab, Number(options.warm));
  for (const { measure } of plan(lab, 1).filter(({ name }) => only.test(name))) await measure();
  for (let i = 1; i <= Number(options.rounds); i++) {
    const round = new Map<string, Sample>();
    for (const { name, measure } of measurements) {
      process.stderr.write(`round ${i}: ${name}\n`);
      round.set(name, await measure());
    }
    rounds.push(round);
  }
  if (Number(options.soak) > 0) {
    process.stderr.write(`soak: ${options.soak} requests\n`);
    rounds[0]?.set('soak', await soak(lab, Number(options.soak)));
  }
  await report(rounds, options.json);
}

/** Each process for as long as any other: what V8 has compiled makes half of a comparison between systems. */
async function warmUp({ systems }: Lab, seconds: number): Promise<void> {
  for (const [name, { port, runners }] of Object.entries(systems)) {
    const hosts = name === 'tenants' ? manyHosts(1) : [HELLO];
    await runWrk({ port, connections: 16, seconds: seconds * runners.length, hosts });
  }
}

async function report(rounds: readonly Round[], file: string): Promise<void> {
  const figures = summarizeRounds(rounds);
  const verdicts = judge(rounds);
  const errors = rounds.flatMap((round) => [...round]).filter(([, { errors: count }]) => (count ?? 0) > 0);
  await writeFile(file, JSON.stringify({ machine: machine(), verdicts, figures }, undefined, 2));
  process.stdout.write(`\n${JSON.stringify(machine())}\n\n${table(figures)}\n\n`);
  for (const [name, { errors: count }] of errors) process.stdout.write(`ERRORS: ${name}: ${count}\n`);
  for (const verdict of verdicts) process.stdout.write(`${verdictLine(verdict)}\n`);
}

/** workerd is big and nobody but the benchmark needs it. */
function installPeers(): void {
  if (existsSync(join(import.meta.dirname, 'node_modules/workerd'))) return;
  execFileSync('npm', ['ci', '--ignore-scripts'], { cwd: import.meta.dirname, stdio: 'inherit' });
}
