import { once } from 'node:events';
import { SAME_WISH_MS } from '../../shared/shutdown.ts';

const PARENT_CHECK_MS = 250;

/** The one moment when everything starts to be taken down, for the first reason that comes. */
export interface Ending {
  readonly signal: AbortSignal;
  /** A part ended without having been told to. */
  crashed(part: string, how?: string): void;
  /** Waits for the reason. @returns the exit code */
  come(): Promise<number>;
}

/**
 * Begins the end at SIGINT, SIGTERM and SIGHUP; exits at once at the second signal, and all children with it.
 * The end of the npm that started this process counts as SIGTERM.
 */
export function endOnSignals(): Ending {
  const ending = new AbortController();
  let exitCode = 0;
  let signalledAt = -Infinity;

  const onSignal = (name: NodeJS.Signals): void => {
    const sinceFirst = performance.now() - signalledAt;
    if (sinceFirst < SAME_WISH_MS) return;
    if (sinceFirst < Infinity) {
      say(`${name} again: killing everything`);
      process.exit(1);
    }
    signalledAt = performance.now();
    if (!ending.signal.aborted) say(`${name}: stopping (once more: kill everything at once)`);
    ending.abort();
  };
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, onSignal);
  whenNpmIsGone(() => onSignal('SIGTERM'));

  return {
    signal: ending.signal,
    crashed(part, how) {
      if (ending.signal.aborted) return;
      exitCode = 1;
      say(`${part} ended by itself${how ? ` (${how})` : ''}: stopping everything else`);
      ending.abort();
    },
    async come() {
      if (!ending.signal.aborted) await once(ending.signal, 'abort');
      return exitCode;
    },
  };
}

/** npm passes SIGTERM on to the shell between us only, which ends of it and leaves us behind. */
function whenNpmIsGone(tell: () => void): void {
  if (!process.env['npm_lifecycle_event']) return;
  const parent = process.ppid;
  const check = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(check);
    tell();
  }, PARENT_CHECK_MS);
  check.unref();
}

/** One line to whoever watches; standard output is the logs'. */
export function say(line: string): void {
  process.stderr.write(`dev: ${line}\n`);
}
