import type { Logger } from './log.ts';

/**
 * Runs `close` on the first SIGTERM or SIGINT and exits 0 when it is done.
 * A second signal, or the end of the grace period, exits 1 at once.
 */
export function shutdownOnSignal(log: Logger, graceMs: number, close: () => Promise<void>): void {
  let closing = false;
  const onSignal = (signal: NodeJS.Signals): void => {
    if (closing) {
      log.warn({ signal }, 'second signal: exiting at once');
      process.exit(1);
    }
    closing = true;
    log.info({ signal, graceMs }, 'closing');
    setTimeout(() => {
      log.error('the grace period is over: exiting with work unfinished');
      process.exit(1);
    }, graceMs).unref();
    close().then(
      () => {
        log.info('closed');
        process.exit(0);
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
