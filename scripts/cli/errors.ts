import { CommanderError } from 'commander';

/** Called wrongly; everything else that fails is 1. */
const EXIT_USAGE = 2;

/** A failure that is told in its message alone, without a stack. */
export class CliError extends Error {
  override readonly name = 'CliError';
}

/**
 * Tells on standard error what went wrong, unless commander has done so already.
 *
 * @returns the exit code
 */
export function reportError(thrown: unknown): number {
  if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? 0 : EXIT_USAGE;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  process.stderr.write(`lc500: ${message}\n`);
  return 1;
}

const UNREACHABLE = new Set([
  'EAI_AGAIN',
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EPROTO',
  'ETIMEDOUT',
]);

/** The code of an error that says that nobody usable answers at an address; `undefined` for other errors. */
export function unreachableCode(thrown: unknown): string | undefined {
  const code = (thrown as Partial<NodeJS.ErrnoException> | undefined)?.code;
  return code !== undefined && UNREACHABLE.has(code) ? code : undefined;
}
