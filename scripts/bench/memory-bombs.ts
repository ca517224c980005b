import { readdirSync, readFileSync } from 'node:fs';
import type { SandboxOutcome } from '../../runner/sandbox-process.ts';
import type { Sandboxes } from '../../runner/sandboxes.ts';
import { runScript } from './run-script.ts';

/** Scripts that take memory as fast as they can, each where V8 counts it differently or not at all. */
export const BOMBS = {
  'a growing Map': 'const m = new Map(); for (let i = 0; ; i++) m.set(i, i)',
  'properties of one object': 'const o = {}; for (let i = 0; ; i++) o["k" + i] = i',
  'typed arrays, filled': 'for (const a = []; ; ) a.push(new Uint8Array(1 << 24).fill(1))',
  'resizable buffers':
    'for (const a = []; ; ) { const b = new ArrayBuffer(0, { maxByteLength: 1 << 28 }); b.resize(1 << 28); new Uint8Array(b).fill(1); a.push(b) }',
  'joined strings': 'for (const a = []; ; ) a.push(new Array(3e7).join("abcdefgh"))',
  'small strings': 'for (const a = []; ; ) a.push("x".repeat(50) + a.length)',
  'arrays of arrays': 'for (let a = []; ; ) a = [a, new Array(1000).fill(a)]',
} as const;

export interface Explosion {
  readonly outcome: SandboxOutcome;
  /** The most that its process held, bytes. */
  readonly peak: number;
  /** From the script's start to its outcome, and from there until the pool is whole again. */
  readonly lastedMs: number;
  readonly replacedMs: number;
}

const SAMPLE_MS = 1;

/** Runs a script in a pool of one sandbox and watches how large its process becomes. */
export async function explode(sandboxes: Sandboxes, script: string): Promise<Explosion> {
  let peak = 0;
  const timer = setInterval(() => (peak = Math.max(peak, largestDescendant())), SAMPLE_MS);
  const started = performance.now();
  const outcome = await runScript(sandboxes, script);
  const ended = performance.now();
  clearInterval(timer);
  await runScript(sandboxes, '');
  return { outcome, peak, lastedMs: ended - started, replacedMs: performance.now() - ended };
}

/** The high-water mark of whichever process below this one has the highest, bytes. */
function largestDescendant(pid = process.pid): number {
  try {
    const children = readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
      readFileSync(`/proc/${pid}/task/${thread}/children`, 'latin1').split(' ').filter(Boolean),
    );
    const marks = children.map(highWaterMark);
    return Math.max(0, ...marks, ...children.map((child) => largestDescendant(Number(child))));
  } catch {
    return 0;
  }
}

/** VmHWM of proc_pid_status(5). */
function highWaterMark(pid: string): number {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1');
  return Number(/^VmHWM:\s+(\d+)/m.exec(status)?.[1] ?? 0) * 1024;
}
