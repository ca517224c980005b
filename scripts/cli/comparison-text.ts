import type { Comparison } from './admin-schema.ts';
import { outcomeOf } from './outcome-text.ts';
import { printable, printableLine } from './printable.ts';

/** What differs between an invocation and its replay, a line each, `before → after`. */
export function comparisonAsText(comparison: Comparison): string[] {
  const { same, code, status, error, headers, body } = comparison;
  if (same) return ['  the same as before'];
  const [before, after] = [0, 1].map((i) =>
    outcomeOf({ code: code[i as 0 | 1], status: status[i as 0 | 1] }),
  ) as [string, string];
  return [
    ...(before === after ? [] : [`  outcome: ${before} → ${after}`]),
    ...(error[0] === error[1] ? [] : [`  error: ${firstLine(error[0])} → ${firstLine(error[1])}`]),
    ...headers.map(({ name, original, replay }) =>
      printableLine(`  header ${name}: ${values(original)} → ${values(replay)}`),
    ),
    ...(body.same ? [] : bodyLines(body)),
  ];
}

function firstLine(message: string | null): string {
  return message === null ? 'none' : printableLine(message.split('\n', 1)[0] ?? '');
}

function values(all: readonly string[]): string {
  return all.length === 0 ? 'none' : all.map((value) => JSON.stringify(value)).join(', ');
}

function bodyLines({ bytes, firstDifference, excerpts }: Comparison['body']): string[] {
  // Where there was no answer before, all of it is new.
  const at =
    firstDifference === null || bytes.includes(null) ? '' : `, first different at byte ${firstDifference}`;
  return [
    `  body: ${size(bytes[0])} → ${size(bytes[1])}${at}`,
    ...(excerpts ? [`    - ${inline(excerpts[0])}`, `    + ${inline(excerpts[1])}`] : []),
  ];
}

function size(bytes: number | null): string {
  return bytes === null ? 'none' : `${bytes} bytes`;
}

function inline(text: string): string {
  return printable(JSON.stringify(text));
}
