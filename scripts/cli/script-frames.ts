import { lineOf, type Position } from './excerpt.ts';

/** A place in the script that an error's stack names. */
export interface Frame extends Position {
  /** What V8 calls the function, `eval at f` and the like included; `null` at the top level. */
  readonly function: string | null;
  /** The source line; `null` when the script is not at hand, or has no such place. */
  readonly source: string | null;
}

/** V8's frames (https://v8.dev/docs/stack-trace-api), and isolated-vm's way to add a place to a SyntaxError. */
const PLACE = /\bindex\.js:(\d{1,7}):(\d{1,7})\b/;
const FUNCTION = /^\s*at (.+?) \(/;
const MOST = 20;

/**
 * The frames of a script's error, innermost first. A script can give its error any stack, so a frame is a claim:
 * one that lies outside of the script comes without a source line.
 *
 * @param message may name the place of a syntax error: `… [index.js:1:9]`
 */
export function framesOf(message: string, stack: string | null, script: string | undefined): Frame[] {
  const lines = [message, ...(stack ?? '').split('\n')];
  const frames = lines.flatMap((line, i): Frame[] => {
    const [, lineNumber, column] = PLACE.exec(i === 0 ? (/\[[^\]]*\]$/.exec(line)?.[0] ?? '') : line) ?? [];
    if (lineNumber === undefined) return [];
    const at = { line: Number(lineNumber), column: Number(column) };
    return [{ ...at, function: FUNCTION.exec(line)?.[1] ?? null, source: sourceAt(script, at) }];
  });
  const isFirst = (frame: Frame, i: number): boolean =>
    i === 0 || frame.line !== frames[i - 1]?.line || frame.column !== frames[i - 1]?.column;
  return frames.filter(isFirst).slice(0, MOST);
}

function sourceAt(script: string | undefined, { line, column }: Position): string | null {
  const source = script === undefined ? undefined : lineOf(script, line);
  return source === undefined || column > source.length + 1 ? null : source;
}
