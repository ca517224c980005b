import { execFile, spawn, type ChildProcess, type StdioOptions } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

export interface ChildExit {
  /** For a reader: `exit code 1`, `SIGKILL`. */
  readonly how: string;
  /** Whether `stop` was called before. */
  readonly expected: boolean;
}

/** A child process that does not outlive this one. */
export interface OwnedChild {
  readonly pid: number;
  readonly stdout: Readable | null;
  readonly exited: Promise<ChildExit>;
  /** SIGTERM, and SIGKILL to the child and its own children when it is not gone after `graceMs`. */
  stop(graceMs: number): Promise<void>;
}

/**
 * Starts a child process in a process group of its own, so that Ctrl-C at the terminal reaches it through
 * us alone. It ends when we end: by SIGKILL when we exit in an orderly way, and by SIGTERM from the kernel
 * when we are killed ourselves (Linux with util-linux's setpriv; elsewhere it is left behind then).
 *
 * @throws Error when it cannot be started
 */
export async function spawnOwned(
  command: string,
  args: readonly string[],
  options: { readonly env: NodeJS.ProcessEnv; readonly stdio: StdioOptions },
): Promise<OwnedChild> {
  const [program = command, ...rest] = [...(await parentDeathPrefix()), command, ...args];
  const child = spawn(program, rest, { ...options, detached: true });
  // Rejects with the child's 'error' when there is no such program.
  await once(child, 'spawn');
  return own(child);
}

/** `setpriv` execs the command: the process id stays, and the death signal with it (prctl(2)). */
async function parentDeathPrefix(): Promise<string[]> {
  if (process.platform !== 'linux') return [];
  const prefix = ['setpriv', '--pdeathsig', 'TERM'];
  const works = promisify(execFile)('setpriv', ['--pdeathsig', 'TERM', 'true']);
  return works.then(
    () => prefix,
    () => [],
  );
}

function own(child: ChildProcess): OwnedChild {
  const pid = child.pid as number;
  let stopping = false;
  const killGroup = (): void => signalGroup(pid);
  process.once('exit', killGroup);
  const exited = new Promise<ChildExit>((resolve) => {
    child.once('exit', (code, signal) => {
      process.removeListener('exit', killGroup);
      // What it started and left behind.
      killGroup();
      resolve({ how: signal ?? `exit code ${code}`, expected: stopping });
    });
  });
  const stop = async (graceMs: number): Promise<void> => {
    stopping = true;
    child.kill('SIGTERM');
    const patience = new AbortController();
    const tooLong = sleep(graceMs, true, { signal: patience.signal }).catch(() => false);
    if (await Promise.race([tooLong, exited.then(() => false)])) killGroup();
    await exited;
    patience.abort();
  };
  return { pid, stdout: child.stdout, exited, stop };
}

function signalGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It is gone already.
  }
}
