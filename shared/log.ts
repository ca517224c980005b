import { pino, stdTimeFunctions, type Logger } from 'pino';
import { PinoPretty } from 'pino-pretty';

export type { Logger } from 'pino';

/**
 * Structured log on standard output: JSON, one line a record; readable form only on a terminal.
 *
 * @param process which process type speaks: `gateway`, `runner`, …
 */
export function createLog(process: string, level: string): Logger {
  const options = {
    level,
    base: { process, pid: globalThis.process.pid },
    timestamp: stdTimeFunctions.isoTime,
  };
  if (!globalThis.process.stdout.isTTY) return pino(options);
  return pino(
    options,
    PinoPretty({ colorize: true, ignore: 'pid,process', messageFormat: '{process}: {msg}', sync: true }),
  );
}
