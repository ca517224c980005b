import { expect, test } from 'vitest';
import { ADMIN_TOKEN, adminOf } from '../helpers/admin.ts';
import { startSystem } from '../helpers/system.ts';
import { waitFor } from '../helpers/wait.ts';

const ANSWERED = 20;

/** @returns the ids of what is answered, oldest first, and then of one that fails */
async function answerMany(keep: string) {
  const system = await startSystem({ env: { ADMIN_TOKEN, KEEP_COMPLETED: keep } });
  const admin = adminOf(system);
  await system.deploy('a.example', 'if (readRequestUrl() === "/bad") null.x; else setBody("fine")');
  const ids: string[] = [];
  const ask = async (path: string) =>
    (await system.request({ hostname: 'a.example', path })).header('x-request-id') as string;
  for (let i = 0; i < ANSWERED; i++) ids.push(await ask(`/${i}`));
  const failed = await ask('/bad');
  await admin.record(failed);
  const kept = async () => (await admin.list('state=answered')).map(({ id }) => id);
  return { ids, failed, admin, kept, [Symbol.asyncDispose]: () => system[Symbol.asyncDispose]() };
}

test('a number: so many of the newest answered ones, and no failed one goes for them', async () => {
  await using done = await answerMany('3');
  const newest = done.ids.slice(-3).toReversed();
  await waitFor('the newest three', async () => (await done.kept()).join() === newest.join());
  expect((await done.admin.list('state=failed')).map(({ id }) => id)).toEqual([done.failed]);
  const answer = await done.admin.get(`/invocations/${newest[0]}/answer`);
  expect(answer.text).toBe('fine');
});

test('a share: all of them, or some', async () => {
  await using all = await answerMany('100%');
  await waitFor('all', async () => (await all.kept()).join() === all.ids.toReversed().join());
  await using some = await answerMany('50%');
  await waitFor('some', async () => (await some.kept()).length > 0);
  const { length } = await some.kept();
  // Once in half a million runs all or none are chosen.
  expect(length).toBeGreaterThan(0);
  expect(length).toBeLessThan(ANSWERED);
});
