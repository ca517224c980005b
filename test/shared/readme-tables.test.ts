import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { VARIABLES } from '../../shared/config.ts';
import { ERRORS } from '../../shared/errors.ts';

const README = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');

/** The rows of the table with this header, a row's cells without their padding. */
function table(header: string): string[][] {
  const lines = README.split('\n');
  const start = lines.indexOf(header);
  const rows = lines.slice(start + 2);
  return rows.slice(0, rows.indexOf('')).map((row) =>
    row
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

test('the environment table is the code’s', () => {
  const expected = Object.entries(VARIABLES).map(([name, variable]) => {
    const shown = 'defaultText' in variable ? variable.defaultText : variable.default;
    return [`\`${name}\``, shown ?? '–', variable.meaning];
  });
  expect(table('| name | default | meaning |')).toEqual(expected);
});

test('the error table is the code’s', () => {
  const rows = table('| code | status | when |');
  const expected = Object.entries(ERRORS).map(([code, { status }]) => [`\`${code}\``, String(status)]);
  expect(rows.map(([code, status]) => [code, status])).toEqual(expected);
  expect(rows.filter(([, , when]) => when === '')).toEqual([]);
});

test('every error that is worth trying again says so', () => {
  const rows = table('| code | status | when |').filter(([, , when]) => when?.includes('Retry-After'));
  const expected = Object.entries(ERRORS).filter(([, kind]) => 'retryAfter' in kind);
  expect(rows.map(([code]) => code)).toEqual(expected.map(([code]) => `\`${code}\``));
});
