import { pino } from 'pino';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createHerokuAdapter } from '../../../scripts/autoscale/heroku-adapter.ts';
import { HEROKU_TOKEN, startFakeHeroku, type FakeHeroku } from '../../helpers/heroku.ts';

let heroku: FakeHeroku;
beforeEach(async () => {
  heroku = await startFakeHeroku();
});
afterEach(() => heroku[Symbol.asyncDispose]());

const log = pino({ level: 'silent' });
const GET = 'GET /apps/my-app/formation/runner';
const PATCH = 'PATCH /apps/my-app/formation/runner';

function adapter(change: { token?: string; app?: string } = {}) {
  return createHerokuAdapter({ url: heroku.url, app: 'my-app', token: HEROKU_TOKEN, log, ...change });
}

function patience(ms = 20_000): AbortSignal {
  return AbortSignal.timeout(ms);
}

test('reads and patches the quantity, and asks no more than it must', async () => {
  const formation = adapter();
  heroku.quantity = 2;
  expect(await formation.count(patience())).toBe(2);
  await formation.scale(5, patience());
  for (let i = 0; i < 20; i++) expect(await formation.count(patience())).toBe(5);
  expect(heroku.quantity).toBe(5);
  expect(heroku.requests).toEqual([GET, `${PATCH} {"quantity":5}`]);
});

test('what fails in passing is tried again', async () => {
  heroku.refusals.push(
    { status: 503, id: 'unavailable', message: 'Busy.' },
    { status: 500, id: 'internal_server_error', message: 'Oh.' },
  );
  expect(await adapter().count(patience())).toBe(1);
  expect(heroku.requests).toHaveLength(3);
});

test('and given up after three tries; afterwards the number is read anew', async () => {
  const formation = adapter();
  await formation.count(patience());
  for (let i = 0; i < 3; i++) heroku.refusals.push({ status: 503, id: 'unavailable', message: 'Busy.' });
  await expect(formation.scale(4, patience())).rejects.toThrow('503 unavailable: Busy.');
  expect(await formation.count(patience())).toBe(1);
  expect(heroku.requests.slice(1)).toEqual([
    ...Array.from({ length: 3 }, () => `${PATCH} {"quantity":4}`),
    GET,
  ]);
});

test('after 429 nothing is asked before Retry-After', async () => {
  const formation = adapter();
  heroku.refusals.push({
    status: 429,
    id: 'rate_limit',
    message: 'Your account reached the API rate limit',
    headers: { 'Retry-After': '1' },
  });
  await expect(formation.count(patience())).rejects.toThrow('429 rate_limit');
  await expect(formation.count(patience())).rejects.toThrow(/rate limit is reached; asking again in 1 s/);
  expect(heroku.requests).toHaveLength(1);
  await expect.poll(() => formation.count(patience()), { timeout: 5000 }).toBe(1);
});

test.each([
  [{ token: 'another' }, '401 unauthorized: Invalid credentials provided.'],
  [{ app: 'no-app' }, "404 not_found: Couldn't find that formation."],
])('%o is told at once, in Heroku’s words', async (change, message) => {
  await expect(adapter(change).count(patience())).rejects.toThrow(message);
  expect(heroku.requests).toHaveLength(1);
});

test('a call ends when its time is over', async () => {
  for (let i = 0; i < 3; i++) heroku.refusals.push({ status: 503, id: 'unavailable', message: 'Busy.' });
  await expect(adapter().count(patience(50))).rejects.toThrow(/abort|timeout/i);
});
