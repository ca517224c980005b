import { pino } from 'pino';
import { detectLauncher } from '../../runner/launcher/detect.ts';
import { LEVELS, type Level } from '../../runner/launcher/walls.ts';
import { SandboxProcess } from '../../runner/sandbox-process.ts';
import { summarize } from './statistics.ts';

/** How long a sandbox takes from its start until it is ready, at each level of walls that this machine has. */
const STARTS = 20;
const LIMITS = { scriptMemoryMb: 64, residentLimit: 2 ** 28, frameLimit: 2 ** 24 };
const log = pino({ level: 'silent' });

console.log('level | ready after, ms: median (least to most)');
for (const level of LEVELS) console.log(`${level} | ${await startsAt(level)}`);

async function startsAt(level: Level): Promise<string> {
  const detection = await detectLauncher(level, 61_184).catch((error: Error) => error);
  if (detection instanceof Error) return detection.message;
  const times: number[] = [];
  for (let i = 0; i < STARTS; i++) {
    const began = performance.now();
    const sandbox = new SandboxProcess(detection.launcher, LIMITS, log);
    await sandbox.ready;
    times.push(performance.now() - began);
    sandbox.kill('closing');
    await sandbox.ended;
  }
  const { median, min, max } = summarize(times);
  return `${median.toFixed(0)} (${min.toFixed(0)}–${max.toFixed(0)})`;
}
