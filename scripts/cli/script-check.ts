import { isUtf8 } from 'node:buffer';
import { Session, type Runtime } from 'node:inspector';
import { Script } from 'node:vm';
import { CliError } from './errors.ts';
import { excerpt, type Position } from './excerpt.ts';

/** Largest script that is accepted. */
export const MAX_SCRIPT_BYTES = 1_048_576;

/**
 * Refuses what could never run: too large, not text, empty, or not a classic script. Compiles, never runs.
 *
 * @param name the file's name for messages
 * @throws CliError with the reason; for a syntax error with line, column (both from 1) and the source line
 */
export function checkScript(bytes: Buffer, name: string): void {
  if (bytes.length > MAX_SCRIPT_BYTES) {
    throw new CliError(`${name}: the script is over the limit of 1 MiB (1,048,576 bytes)`);
  }
  if (!isUtf8(bytes)) throw new CliError(`${name}: the script is not UTF-8 text`);
  const source = bytes.toString('utf8');
  if (source.trim() === '') throw new CliError(`${name}: the script is empty`);
  try {
    // Compiles without running. A fixed name: that of the file may look like anything.
    void new Script(source, { filename: 'script.js' });
  } catch (error) {
    throw new CliError(refusal(source, name, error as Error), { cause: error });
  }
}

function refusal(source: string, name: string, error: Error): string {
  const message = `${error.name}: ${error.message}`;
  const hint = LIKE_A_MODULE.test(error.message) ? `\n${MODULE_HINT}` : '';
  const at = positionOfError(source);
  if (!at) return `${name}: ${message}${hint}`;
  return `${name}:${at.line}:${at.column}: ${message}\n${excerpt(source, at)}${hint}`;
}

const LIKE_A_MODULE =
  /Cannot use import statement|Unexpected token 'export'|import\.meta|await is only valid in async functions/;

const MODULE_HINT =
  'Hint: this looks like a module. Scripts are classic scripts: no import, no export, no await at the top level.';

/**
 * Where V8 stopped. The inspector is asked because the stack's caret line, the other place that tells the
 * column, ends after 1,020 characters, and minified scripts are one long line.
 */
function positionOfError(source: string): Position | undefined {
  const session = new Session();
  session.connect();
  try {
    let details: Runtime.ExceptionDetails | undefined;
    session.post('Runtime.enable');
    session.post(
      'Runtime.compileScript',
      { expression: source, sourceURL: '', persistScript: false },
      (_error, result) => {
        details = result?.exceptionDetails;
      },
    );
    return details && { line: details.lineNumber + 1, column: details.columnNumber + 1 };
  } finally {
    session.disconnect();
  }
}
