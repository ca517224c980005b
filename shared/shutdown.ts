import type { Logger } from './log.ts';

/** How long `settle` may take. With the default grace period this ends before Heroku's SIGKILL. */
const SETTLE_MS = 2000;

/** npm passes on what a terminal or systemd has sent to all its processes already: two signals, one wish. */
export const SAME_WISH_MS = 500;

/** A process that runs. */
export interface Running {
  /** Takes nothing new, finishes what was begun, lets go of everything. */
  close(): Promise<void>;
  /** Gives all that was begun its code at once, so that `close` ends soon. */
  settle?(): void;
}

/**
 * On the first SIGTERM or SIGINT closes, and exits 0 when that is done. On a second signal, or at the end of the
 * grace period, what is left is settled with its code, and it exits 1 when that is done, or after 2 s. A third
 * signal ends it as it is. What comes within half a second of the one before is no other.
 */
export function shutdownOnSignal(log: Logger, graceMs: number, running: Running): void {
  let exitCode = 0;
  const settle = (): void => {
    if (exitCode === 1 || !running.settle) process.exit(1);
    exitCode = 1;
    running.settle();
    setTimeout(() => {
      log.error('exiting with work unfinished');
      process.exit(1);
    }, SETTLE_MS);
  };
  let isClosing = false;
  let signalledAt = -Infinity;
  const onSignal = (signal: NodeJS.Signals): void => {
    if (performance.now() - signalledAt < SAME_WISH_MS) return;
    signalledAt = performance.now();
    if (isClosing) {
      log.warn({ signal }, 'another signal: settling what is left');
      return settle();
    }
    isClosing = true;
    log.info({ signal, graceMs }, 'closing');
    setTimeout(() => {
      log.error('the grace period is over: settling what is left');
      if (exitCode === 0) settle();
    }, graceMs).unref();
    running.close().then(
      () => {
        log.info('closed');
        process.exit(exitCode);
      },
      (error: unknown) => {
        log.error({ err: error }, 'closing failed');
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
}
