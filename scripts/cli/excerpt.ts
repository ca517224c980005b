export interface Position {
  /** Both count from 1; the column in UTF-16 code units. */
  readonly line: number;
  readonly column: number;
}

const EXCERPT_BEFORE = 60;
const EXCERPT_LENGTH = 100;

/** The source line, or the part of it around the column, and a caret below the column; indented by two. */
export function excerpt(source: string, at: Position): string {
  const line = lineOf(source, at.line) ?? '';
  const start = line.length <= EXCERPT_LENGTH ? 0 : Math.max(0, at.column - 1 - EXCERPT_BEFORE);
  const part = line.slice(start, start + EXCERPT_LENGTH);
  // Tabs stay tabs, so that the caret is below its character however wide they are shown.
  const indent = line.slice(start, at.column - 1).replaceAll(/[^\t]/g, ' ');
  return `  ${part}\n  ${indent}^`;
}

/** A line of a source without its end; `undefined` when there is none of that number. */
export function lineOf(source: string, line: number): string | undefined {
  return source.split(LINE_END)[line - 1];
}

/** What V8 counts as the end of a line: ECMA-262, LineTerminatorSequence. */
const LINE_END = /\r\n|[\n\r\u2028\u2029]/;
