import { expect, test } from 'vitest';
import { verdictOf, type Cell } from '../../scripts/cli/matrix-verdict.ts';

const FAILS: Cell = { code: 'script_error', answer: '' };
const OTHER: Cell = { code: 'script_timeout', answer: '' };
const FINE: Cell = { code: null, answer: '200 a' };
const ELSE: Cell = { code: null, answer: '200 b' };

test.for([
  // original script with original, fresh blueprint; current script with original, fresh blueprint
  ['the script', 'script', [FAILS, FAILS, FINE, FINE]],
  ['the script, though it does not suit the fresh blueprint', 'script', [FAILS, FAILS, FINE, FAILS]],
  ['the blueprint', 'blueprint', [FAILS, FINE, FAILS, FINE]],
  ['the blueprint, though it does not suit the current script', 'blueprint', [FAILS, FINE, FAILS, FAILS]],
  ['either', 'either', [FAILS, FINE, FINE, FINE]],
  ['both together', 'both', [FAILS, FAILS, FAILS, FINE]],
  ['neither', 'neither', [FAILS, FAILS, FAILS, FAILS]],
  ['neither: to fail otherwise is no cure', 'neither', [FAILS, OTHER, OTHER, OTHER]],
  ['nothing: it does not fail any more', 'gone', [FINE, FINE, FINE, FINE]],
  ['unknown, the original script being gone', 'unknown', [undefined, undefined, FINE, FINE]],
  ['unknown, the current script being gone', 'unknown', [FAILS, FINE, undefined, undefined]],
  ['unknown, the last one not run', 'unknown', [FAILS, FAILS, FAILS, undefined]],
] as const)('of a failure: %s', ([, verdict, [oo, of, co, cf]]) => {
  const matrix = { original: { original: oo, fresh: of }, current: { original: co, fresh: cf } };
  expect(verdictOf(matrix, true)).toBe(verdict);
});

test.for([
  ['the script', 'script', [FINE, FINE, ELSE, ELSE]],
  ['the blueprint', 'blueprint', [FINE, ELSE, FINE, ELSE]],
  ['neither', 'neither', [FINE, FINE, FINE, FINE]],
  ['the script, which fails', 'script', [FINE, FINE, FAILS, FAILS]],
] as const)('of an answer: %s', ([, verdict, [oo, of, co, cf]]) => {
  const matrix = { original: { original: oo, fresh: of }, current: { original: co, fresh: cf } };
  expect(verdictOf(matrix, false)).toBe(verdict);
});
