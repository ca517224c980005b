import {
  pino,
  stdSerializers,
  stdTimeFunctions,
  type Logger,
  type LoggerOptions,
  type SerializedError,
} from 'pino';
import { PinoPretty } from 'pino-pretty';

export type { Logger } from 'pino';

/**
 * Structured log on standard output: JSON, one line a record; readable form only on a terminal.
 *
 * @param process which process type speaks: `gateway`, `runner`, …
 */
export function createLog(process: string, level: string): Logger {
  const options = logOptions(process, level);
  if (!globalThis.process.stdout.isTTY) return pino(options);
  return pino(
    options,
    PinoPretty({ colorize: true, ignore: 'pid,process', messageFormat: '{process}: {msg}', sync: true }),
  );
}

/** What every log of lc500 has in common. */
export function logOptions(process: string, level: string): LoggerOptions {
  return {
    level,
    base: { process, pid: globalThis.process.pid },
    timestamp: stdTimeFunctions.isoTime,
    hooks: { streamWrite: escapeRest },
    serializers: { err: withoutArguments },
  };
}

/** What JSON lets stand though a terminal obeys it, or a reader of lines takes it for the end of one. */
const OBEYED = /[\x7f-\x9f\u2028\u2029]/;
const ALL_OBEYED = new RegExp(OBEYED, 'g');

/** In JSON these can only be within texts, where they mean the same escaped. */
function escapeRest(line: string): string {
  if (!OBEYED.test(line)) return line;
  return line.replace(ALL_OBEYED, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** Redis's errors hold the whole command: bodies, secrets of invocations, the password. Its name is enough. */
function withoutArguments(error: Error): SerializedError {
  const described = stdSerializers.err(error);
  const { command } = described as { command?: { name?: unknown } };
  if (command) described['command'] = command.name;
  return described;
}
