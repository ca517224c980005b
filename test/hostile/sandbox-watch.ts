import { readFileSync } from 'node:fs';

/** A sandbox is marked for the kernel when its first isolate is ready: runner/launcher/oom-score.ts. */
const READY = '1000';
/** Of its settings: runner/sandbox/main.ts. */
const RUNS = '"task":"run"';
const SAMPLE_MS = 10;

/** What was seen of a runner's sandboxes from outside (Linux). */
export interface SandboxSights {
  /** The most that one of them held, bytes. */
  readonly peak: number;
  /** How many ended. */
  readonly ended: number;
}

/** Looks at the sandboxes of a runner until it is told to stop. */
export function watchSandboxes(runner: number): { stop(): SandboxSights } {
  let peak = 0;
  let ended = 0;
  let ready = new Set<number>();
  const look = (): void => {
    const seen = new Set(descendants(runner).filter(isReady));
    for (const pid of ready.difference(seen)) {
      ended++;
      ready.delete(pid);
    }
    ready = seen;
    for (const pid of seen) peak = Math.max(peak, highWaterMark(pid));
  };
  const timer = setInterval(look, SAMPLE_MS);
  return {
    stop() {
      clearInterval(timer);
      return { peak, ended };
    },
  };
}

function descendants(pid: number): number[] {
  const children = read(`/proc/${pid}/task/${pid}/children`).split(' ').filter(Boolean).map(Number);
  return children.flatMap((child) => [child, ...descendants(child)]);
}

/** The process that compiles a script comes and goes, and is none of them: runner/code-cache.ts. */
function isReady(pid: number): boolean {
  return read(`/proc/${pid}/cmdline`).includes(RUNS) && read(`/proc/${pid}/oom_score_adj`).trim() === READY;
}

/** VmHWM of proc_pid_status(5). */
function highWaterMark(pid: number): number {
  return Number(/^VmHWM:\s+(\d+)/m.exec(read(`/proc/${pid}/status`))?.[1] ?? 0) * 1024;
}

/** Empty when the process has gone. */
function read(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}
