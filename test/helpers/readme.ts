import { readFileSync } from 'node:fs';

const README = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');

/** The rows of the README's table with this header, a row's cells without their padding. */
export function readmeTable(header: string): string[][] {
  const lines = README.split('\n');
  const start = lines.indexOf(header);
  if (start < 0) throw new Error(`the README has no table ${header}`);
  const rows = lines.slice(start + 2);
  return rows.slice(0, rows.indexOf('')).map((row) =>
    row
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}
