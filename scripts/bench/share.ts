import { Command } from 'commander';
import { startThrowAwayServices } from '../services/throw-away.ts';
import { runConstantRate } from './constant-rate.ts';
import { summarize } from './statistics.ts';
import { startSystem, store } from './system.ts';
import { runWrk, type Load } from './wrk.ts';

/** What a steady tenant notices of others' floods: its latency alone, and beside each of them. */
const VICTIM = 'victim.example';
const ATTACKS: readonly (Omit<Load, 'port' | 'seconds' | 'hosts'> &
  Record<'name' | 'host' | 'script', string>)[] = [
  {
    name: '24 clients, script without an end',
    host: 'endless.example',
    script: 'for(;;){}',
    connections: 24,
  },
  { name: '64 clients, hello', host: 'hello.example', script: "setBody('hello')", connections: 64 },
  { name: '256 clients, hello', host: 'hello.example', script: "setBody('hello')", connections: 256 },
  {
    name: '256 clients, scripts of 20 ms',
    host: 'work.example',
    script: 'const end = Date.now() + 20; while (Date.now() < end);',
    connections: 256,
  },
  {
    name: '24 clients, bodies of 200 kB, sent back',
    host: 'echo.example',
    script: 'setBody(readRequestBody())',
    connections: 24,
    bodyBytes: 200_000,
  },
  {
    name: '24 clients, bodies of 1 MB, read',
    host: 'length.example',
    script: 'setBody(String(readRequestBody().length))',
    connections: 24,
    bodyBytes: 1_000_000,
  },
];

/** What was seen beside one attack, over all rounds. */
class Row {
  readonly #p50: number[] = [];
  readonly #p99: number[] = [];
  #failures = 0;
  #answered = 0;
  #refused = 0;

  add(
    victim: Awaited<ReturnType<typeof runConstantRate>>,
    attack?: Awaited<ReturnType<typeof runWrk>>,
  ): void {
    this.#p50.push(victim.p50);
    this.#p99.push(victim.p99);
    this.#failures += victim.errors;
    this.#answered += (attack?.requests ?? 0) - (attack?.errors ?? 0);
    this.#refused += attack?.errors ?? 0;
  }

  get p99(): number {
    return summarize(this.#p99).median;
  }

  line(name: string, alone: number): string {
    const [p50, p99] = [this.#p50, this.#p99].map(spread);
    const cells = [name, p50, p99, (this.p99 / alone).toFixed(2), this.#failures];
    return `| ${[...cells, `${this.#answered}; ${this.#refused}`].join(' | ')} |`;
  }
}

function spread(values: readonly number[]): string {
  const { median, min, max } = summarize(values);
  return `${median.toFixed(1)} (${min.toFixed(1)}–${max.toFixed(1)})`;
}

const options = new Command('npm run bench:share --')
  .option('--rate <n>', "the victim's requests a second", '20')
  .option('--seconds <n>', 'length of each measurement', '10')
  .option('--rounds <n>', 'of all of them; the figures are medians, with the least and the most', '5')
  .option('--nice <n>', 'LONG_RUN_NICE: how far long scripts give way', '10')
  .parse()
  .opts<{ rate: string; seconds: string; rounds: string; nice: string }>();
const [rate, seconds, rounds] = [Number(options.rate), Number(options.seconds), Number(options.rounds)];

await using stack = new AsyncDisposableStack();
const services = stack.use(await startThrowAwayServices());
const scripts = new Map<string, string>([[VICTIM, "setBody('hello')"]]);
for (const { host, script } of ATTACKS) scripts.set(host, script);
await store(services.env, { scripts });
const change = { LONG_RUN_NICE: options.nice };
const { port } = stack.use(await startSystem(services.env, { name: 'share', change }));
const victim = () => runConstantRate({ port, host: VICTIM, rate, seconds });

await runWrk({ port, hosts: [VICTIM], connections: 4, seconds: 2 });
const rows = new Map(['nobody', ...ATTACKS.map(({ name }) => name)].map((name) => [name, new Row()]));
for (let i = 0; i < rounds; i++) {
  rows.get('nobody')?.add(await victim());
  for (const { name, host, script: _script, ...load } of ATTACKS) {
    const attack = runWrk({ ...load, port, hosts: [host], seconds: seconds + 1 });
    rows.get(name)?.add(await victim(), await attack);
  }
}
console.log('| beside | victim p50, ms | p99, ms | p99 / alone | its failures | others answered; not |');
console.log('| --- | --- | --- | --- | --- | --- |');
const alone = rows.get('nobody')?.p99 ?? NaN;
for (const [name, row] of rows) console.log(row.line(name, alone));
