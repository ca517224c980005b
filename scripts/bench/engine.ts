import { pino } from 'pino';
import { detectLauncher } from '../../runner/launcher/detect.ts';
import { Sandboxes } from '../../runner/sandboxes.ts';
import { DEFAULT_ENGINE, V8_FLAGS, type Engine } from '../../shared/engine.ts';
import { runScript } from './run-script.ts';

/** What each switch of the engine costs: medians of runs one after the other, milliseconds. */
const SCRIPTS = {
  hello: 'setBody("hello")',
  'JSON and regular expressions':
    'const t = JSON.stringify(Array.from({ length: 3000 }, (_, i) => ({ i, s: "item " + i }))); setBody(JSON.parse(t).length + t.replace(/item (\\d+)/g, "$1-$1").slice(0, 10))',
  'arithmetic, 3 million steps':
    'let x = 1; for (let i = 0; i < 3e6; i++) x = (x * 31 + i) % 1000003; setBody(String(x))',
};
const ENGINES: Record<string, Partial<Engine>> = {
  default: {},
  'everything granted': { grants: ['WebAssembly', 'SharedArrayBuffer', 'Atomics', 'Temporal'] },
  'clock stands still': { clockMs: 0 },
  ...Object.fromEntries(V8_FLAGS.map((flag) => [flag, { v8Flags: [flag] }])),
  'no machine code': {
    v8Flags: ['--disable-optimizing-compilers', '--no-sparkplug', '--regexp-interpret-all'],
  },
};
const RUNS = 200;

console.log(['engine', ...Object.keys(SCRIPTS)].join(' | '));
for (const [name, change] of Object.entries(ENGINES)) {
  const detection = await detectLauncher('auto', 61_184, { ...DEFAULT_ENGINE, ...change });
  const limits = { scriptMemoryMb: 64, residentLimit: 2 ** 28, frameLimit: 2 ** 24 };
  const { launcher } = detection;
  const sandboxes = new Sandboxes({ size: 1, launcher, limits, log: pino({ level: 'silent' }) });
  await sandboxes.start();
  const medians: string[] = [];
  for (const script of Object.values(SCRIPTS)) medians.push((await median(sandboxes, script)).toFixed(2));
  await sandboxes.close();
  console.log([name, ...medians].join(' | '));
}

/** Back to back, so that the making of an isolate counts. */
async function median(sandboxes: Sandboxes, script: string): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < RUNS; i++) {
    const started = performance.now();
    const { kind } = await runScript(sandboxes, script);
    if (kind !== 'answer') throw new Error(`${script}: ${kind}`);
    times.push(performance.now() - started);
  }
  return times.sort((a, b) => a - b)[RUNS / 2] as number;
}
