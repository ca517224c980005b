import { expect, test } from 'vitest';
import { VARIABLES } from '../../shared/config/variables.ts';
import { ERRORS } from '../../shared/errors.ts';
import { readmeTable } from '../helpers/readme.ts';

test('the environment table is the code’s', () => {
  const expected = Object.entries(VARIABLES).map(([name, variable]) => {
    const shown = 'defaultText' in variable ? variable.defaultText : variable.default;
    return [`\`${name}\``, shown ?? '–', variable.meaning];
  });
  expect(readmeTable('| name | default | meaning |')).toEqual(expected);
});

test('the error table is the code’s', () => {
  const rows = readmeTable('| code | status | when |');
  const expected = Object.entries(ERRORS).map(([code, { status }]) => [`\`${code}\``, String(status)]);
  expect(rows.map(([code, status]) => [code, status])).toEqual(expected);
  expect(rows.filter(([, , when]) => when === '')).toEqual([]);
});

test('every error that is worth trying again says so', () => {
  const rows = readmeTable('| code | status | when |').filter(([, , when]) => when?.includes('Retry-After'));
  const expected = Object.entries(ERRORS).filter(([, kind]) => 'retryAfter' in kind);
  expect(rows.map(([code]) => code)).toEqual(expected.map(([code]) => `\`${code}\``));
});
