import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { spawnOwned } from '../services/children.ts';

/** A process under measurement; disposing it ends it. */
export interface Child extends AsyncDisposable {
  readonly pid: number;
}

const GRACE_MS = 5000;

/**
 * Starts a process and waits for the line of its output that says that it is ready.
 *
 * @param isReady gets each line; the first value that is not `undefined` is returned
 * @throws Error when the process ends before
 */
export async function startChild<T>(
  command: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  isReady: (line: string) => T | undefined,
): Promise<Child & { ready: T }> {
  const child = await spawnOwned(command, args, { env, stdio: ['ignore', 'pipe', 'inherit'] });
  const ready = Promise.withResolvers<T>();
  createInterface({ input: child.stdout as Readable }).on('line', (line) => {
    const value = isReady(line);
    if (value !== undefined) ready.resolve(value);
  });
  void child.exited.then(({ how }) =>
    ready.reject(new Error(`${command} ${args.join(' ')} ended before it was ready: ${how}`)),
  );
  return {
    pid: child.pid,
    ready: await ready.promise,
    [Symbol.asyncDispose]: () => child.stop(GRACE_MS),
  };
}

/** Starts one of our own files; it is ready when it prints a JSON line with `port`. */
export function startServer(file: string, args: readonly string[]): Promise<Child & { ready: number }> {
  return startChild(process.execPath, [file, ...args], process.env, portOf);
}

/** @returns the port of a log line, if it tells one */
export function portOf(line: string): number | undefined {
  try {
    return (JSON.parse(line) as { port?: number }).port;
  } catch {
    return undefined;
  }
}
