import { Command } from 'commander';
import { startThrowAwayServices } from '../services/throw-away.ts';
import { runConstantRate } from './constant-rate.ts';
import { latencyOf } from './statistics.ts';
import { startSystem, store } from './system.ts';

/** How soon a gateway says no to requests that could not be run in time, and what it tells their clients. */
const HOST = 'work.example';
const SCRIPT = 'const end = Date.now() + 20; while (Date.now() < end); setBody("done");';
/** A refusal is to be there by then. */
const LATE_MS = 50;

const options = new Command('npm run bench:refusals --')
  .description("Sends one tenant's requests, of 20 ms each, at a rate that no runner here can keep up with.")
  .option('--rate <n>', 'requests a second', '300')
  .option('--seconds <n>', 'for how long', '20')
  .option('--deadline <ms>', 'REQUEST_DEADLINE_MS: the shorter, the sooner there is no room', '3000')
  .option('--nice <n>', 'LONG_RUN_NICE: how far long scripts give way', '10')
  .parse()
  .opts<{ rate: string; seconds: string; deadline: string; nice: string }>();

await using stack = new AsyncDisposableStack();
const services = stack.use(await startThrowAwayServices());
await store(services.env, { scripts: new Map([[HOST, SCRIPT]]) });
const change = { REQUEST_DEADLINE_MS: options.deadline, LONG_RUN_NICE: options.nice };
const { port } = stack.use(await startSystem(services.env, { name: 'refusals', change }));

const answers = new Map<number, { latencies: number[]; retryAfter: Set<number> }>();
await runConstantRate({
  port,
  host: HOST,
  rate: Number(options.rate),
  seconds: Number(options.seconds),
  onAnswer(status, latency, retryAfter) {
    const known = answers.get(status) ?? { latencies: [], retryAfter: new Set() };
    answers.set(status, known);
    known.latencies.push(latency);
    if (retryAfter > 0) known.retryAfter.add(retryAfter);
  },
});
console.log(`status | answers | after, ms: p50 | p99 | most | over ${LATE_MS} | Retry-After`);
for (const [status, { latencies, retryAfter }] of [...answers].sort(([a], [b]) => a - b)) {
  const { p50, p99 } = latencyOf(latencies);
  const figures = [p50, p99, Math.max(...latencies)].map((ms) => ms.toFixed(0));
  const late = latencies.filter((ms) => ms > LATE_MS).length;
  console.log(
    [status, latencies.length, ...figures, late, [...retryAfter].sort((a, b) => a - b).join(' ')].join(' | '),
  );
}
