import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const ENTRY = fileURLToPath(new URL('../../runner/main.ts', import.meta.url));

/** A runner that somebody started on this machine. */
export interface StartedRunner {
  readonly pid: number;
  readonly exited: Promise<unknown>;
}

/** Starts a runner that outlives this process: an autoscaler that is killed takes nobody with it. */
export async function spawnDetached(): Promise<StartedRunner> {
  const child = spawn(process.execPath, [ENTRY], { detached: true, stdio: ['ignore', 'inherit', 'inherit'] });
  const exited = once(child, 'exit');
  // A child that could not be started ends with an error; the next line throws it.
  exited.catch(() => undefined);
  await once(child, 'spawn');
  child.unref();
  return { pid: child.pid as number, exited };
}
