import { expect, test } from 'vitest';
import { startSystem } from '../helpers/system.ts';
import { waitFor } from '../helpers/wait.ts';

test('a new script serves the next request, a removed one none', async () => {
  await using system = await startSystem();
  const ask = () => system.request({ hostname: 'a.example' });
  expect((await ask()).status).toBe(404);
  await system.deploy('a.example', 'throw 1');
  expect((await ask()).status).toBe(500);
  for (const version of ['one', 'two', 'three']) {
    await system.deploy('a.example', `setBody('${version}')`);
    expect((await ask()).text).toBe(version);
    expect((await ask()).text).toBe(version);
  }
  await system.deleteObject('a.example/index.js');
  expect((await ask()).status).toBe(404);
});

test('with the default revalidation a new script is served soon', async () => {
  await using system = await startSystem({ env: { SCRIPT_REVALIDATE_MS: '1000' } });
  await system.deploy('a.example', 'setBody("one")');
  const ask = async () => (await system.request({ hostname: 'a.example' })).text;
  expect(await ask()).toBe('one');
  await system.deploy('a.example', 'setBody("two")');
  await waitFor('the new script', async () => (await ask()) === 'two', { timeoutMs: 5000 });
});

test('a storage that does not answer is storage_unavailable', async () => {
  await using system = await startSystem({ runners: 0 });
  await system.addRunner({ AWS_ENDPOINT: 'http://127.0.0.1:1', UPSTREAM_TIMEOUT_MS: '500' });
  const answer = await system.request({ hostname: 'a.example' });
  expect(answer.json()).toMatchObject({ code: 'storage_unavailable', status: 503 });
  expect(answer.header('retry-after')).toBe('1');
});
