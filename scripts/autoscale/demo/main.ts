import { mkdir, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { readAutoscalerState } from '../../../shared/autoscaler-state.ts';
import { readSignals } from '../../../shared/signals.ts';
import { startDevAutoscaler } from '../../dev/autoscaler.ts';
import { endOnSignals } from '../../dev/ending.ts';
import { drawChart } from '../chart.ts';
import { checkModel } from './check-model.ts';
import { runLoad, type Outcome, type Stage } from './load.ts';
import { startWorld } from './world.ts';

/**
 * `npm run autoscale:demo`: a real run on this machine. Load from 5 requests/s to beyond what one runner (with one
 * sandbox) can do and back; the `local` adapter starts and drains runners. Prints and draws the timeline, and
 * compares the waits in the middle with those of the simulation's model.
 */
const SCRIPT = 'const end = Date.now() + 8; while (Date.now() < end); setBody(readRequestUrl())';
const STAGES: readonly Stage[] = [
  { seconds: 15, rate: 5 },
  { seconds: 30, rate: 40 },
  { seconds: 40, rate: 100 },
  { seconds: 30, rate: 40 },
  { seconds: 75, rate: 5 },
];
const OUT = '.lc500/autoscale';
const SETTINGS = {
  RUNNER_SANDBOXES: '1',
  // The model's runner has no others.
  SPARE_SANDBOXES: '0',
  MAX_RUNNERS: '4',
  AUTOSCALE_INTERVAL_MS: '1000',
  AUTOSCALE_QUIET_MS: '20000',
};

interface Sample {
  readonly at: number;
  readonly runners: number;
  readonly wanted: number;
}

const ending = endOnSignals();
await using stack = new AsyncDisposableStack();
const world = await startWorld(stack, SCRIPT, SETTINGS);
await startDevAutoscaler(stack, world.env, ending);
const redis = new Redis(world.config.REDIS_URL);
stack.defer(() => redis.disconnect());
const look = async () => (await readSignals(redis, world.config.QUEUE_PREFIX)).runners;
while ((await look()) === 0) await sleep(100);

const samples: Sample[] = [];
const began = performance.now();
const watch = setInterval(() => void sample(), 1000);
const outcomes = await runLoad(world.port, 'work.localhost', STAGES, 1);
clearInterval(watch);

const seconds = STAGES.reduce((sum, stage) => sum + stage.seconds, 0);
process.stdout.write(timeline(outcomes));
await mkdir(OUT, { recursive: true });
await writeFile(`${OUT}/demo.svg`, chart(outcomes));
const failed = outcomes.filter(({ status }) => status !== 200).length;
const path = samples.map(({ runners }) => runners).filter((count, i, all) => count !== all[i - 1]);
process.stdout.write(
  `\nrunners ${path.join(' → ')}; ${outcomes.length} requests, ${failed} failed; chart: ${OUT}/demo.svg\n`,
);
const alone = outcomes.filter(({ at, status }) => at > 20_000 && at < 45_000 && status === 200);
process.stdout.write(checkModel(alone));
const times = JSON.stringify(alone.map(({ sandboxMs }) => sandboxMs));
await writeFile(`${OUT}/sandbox-ms.json`, times);
if (failed > 0) process.exitCode = 1;

async function sample(): Promise<void> {
  const [runners, state] = await Promise.all([look(), readAutoscalerState(redis, world.config.QUEUE_PREFIX)]);
  samples.push({ at: (performance.now() - began) / 1000, runners, wanted: state?.wanted ?? 0 });
}

/** A line for every five seconds. */
function timeline(all: readonly Outcome[]): string {
  const lines = ['   time   requests/s  runners  wanted  p99 wait  failed'];
  for (let from = 0; from < seconds; from += 5) {
    const here = all.filter(({ at }) => at >= from * 1000 && at < (from + 5) * 1000);
    const { runners = 0, wanted = 0 } = samples.find(({ at }) => at >= from) ?? samples.at(-1) ?? {};
    const wrong = here.filter(({ status }) => status !== 200).length;
    const cells = [
      `${from} s`,
      (here.length / 5).toFixed(1),
      runners,
      wanted,
      `${p99(here).toFixed(0)} ms`,
      wrong,
    ];
    lines.push(cells.map((cell, i) => String(cell).padStart([7, 13, 9, 8, 10, 8][i] ?? 0)).join(''));
  }
  return `${lines.join('\n')}\n`;
}

function p99(some: readonly Outcome[]): number {
  const waits = some.map(({ queueMs, prepareMs }) => queueMs + prepareMs).sort((a, b) => a - b);
  return waits[Math.ceil(0.99 * waits.length) - 1] ?? 0;
}

function chart(all: readonly Outcome[]): string {
  const per = <T>(figure: (some: readonly Outcome[]) => T) =>
    Array.from({ length: seconds / 2 }, (_, i) => {
      const here = all.filter(({ at }) => at >= i * 2000 && at < (i + 1) * 2000);
      return [i * 2 + 1, figure(here)] as const;
    });
  return drawChart('A real run with the local adapter', seconds, [
    {
      title: 'requests/s',
      curves: [{ label: 'arrivals', colour: '#555', points: per((some) => some.length / 2) }],
    },
    {
      title: 'runners',
      curves: [
        {
          label: 'wanted',
          colour: '#c60',
          steps: true,
          points: samples.map(({ at, wanted }) => [at, wanted] as const),
        },
        {
          label: 'taking jobs',
          colour: '#06c',
          steps: true,
          points: samples.map(({ at, runners }) => [at, runners] as const),
        },
      ],
    },
    {
      title: 'p99 wait, ms',
      level: world.config.TARGET_WAIT_MS,
      curves: [{ label: 'p99', colour: '#06c', points: per(p99) }],
    },
  ]);
}
