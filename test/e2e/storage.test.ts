import { setTimeout as sleep } from 'node:timers/promises';
import { expect, inject, test } from 'vitest';
import { HANG, NONE, SLOW_DOWN, startFaultyProxy, type Fault } from '../helpers/faulty-proxy.ts';
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

/** A system whose runner reaches the storage only through a proxy; deploying does not. */
async function startBehindProxy(env: Record<string, string> = {}) {
  const proxy = await startFaultyProxy(inject('services').AWS_ENDPOINT);
  const system = await startSystem({ runners: 0, env });
  await system.addRunner({ AWS_ENDPOINT: proxy.url, UPSTREAM_TIMEOUT_MS: '500' });
  return {
    proxy,
    system,
    async ask(hostname = 'a.example') {
      const answer = await system.request({ hostname });
      const { code } = answer.status >= 400 ? (answer.json() as { code: string }) : { code: undefined };
      return [code ?? answer.text, answer.header('lc500-script')?.replace(/\d+/, 'N')];
    },
    async [Symbol.asyncDispose]() {
      await system[Symbol.asyncDispose]();
      await proxy[Symbol.asyncDispose]();
    },
  };
}

const AWAY: [string, Fault | undefined][] = [
  ['refuses connections', undefined],
  ['is too busy', SLOW_DOWN],
  ['does not answer', HANG],
];

test.each(AWAY)(
  'a storage that %s: known scripts are served stale, others not at all',
  async (_what, fault) => {
    await using it = await startBehindProxy();
    await it.system.deploy('a.example', 'setHeader("LC500-Script", "mine"); setBody("one")');
    await it.system.deploy('b.example', 'setBody("b")');
    await it.system.deploy('broken.example', 'throw 1');
    expect(await it.ask()).toEqual(['one', undefined]);
    expect(await it.ask('broken.example')).toEqual(['script_error', undefined]);
    await it.system.deploy('a.example', 'setBody("two")');
    if (fault) it.proxy.always(fault);
    else await it.proxy.refuse();
    for (let i = 0; i < 3; i++) expect(await it.ask()).toEqual(['one', 'stale;age=N']);
    expect(await it.ask('broken.example')).toEqual(['script_error', 'stale;age=N']);
    expect(await it.ask('b.example')).toEqual(['storage_unavailable', undefined]);
    if (fault) it.proxy.always(NONE);
    else await it.proxy.accept();
    await waitFor('the new version', async () => (await it.ask())[0] === 'two');
    expect(await it.ask()).toEqual(['two', undefined]);
    expect(await it.ask('b.example')).toEqual(['b', undefined]);
  },
);

test('a script that was stale for SCRIPT_STALE_MS is not served', async () => {
  await using it = await startBehindProxy({ SCRIPT_STALE_MS: '1500' });
  await it.system.deploy('a.example', 'setBody("one")');
  expect(await it.ask()).toEqual(['one', undefined]);
  it.proxy.always(SLOW_DOWN);
  const seen = new Set<unknown>();
  await waitFor('the end of its time', async () => {
    const [what] = await it.ask();
    seen.add(what);
    return what === 'storage_unavailable';
  });
  expect([...seen]).toEqual(['one', 'storage_unavailable']);
});

test('bytes that were changed on their way never run', async () => {
  await using it = await startBehindProxy();
  await it.system.deploy('a.example', 'setBody("right")');
  const change: Fault = {
    kind: 'change',
    change: (answer) => void (answer.body = Buffer.from(answer.body.toString().replace('right', 'wrong'))),
  };
  it.proxy.always(change);
  expect(await it.ask()).toEqual(['storage_unavailable', undefined]);
  it.proxy.always(NONE);
  it.proxy.next({ kind: 'cut' }, change);
  expect(await it.ask()).toEqual(['right', undefined]);
});

test('a missing script is not asked for each time, and served soon after it was deployed', async () => {
  await using it = await startBehindProxy({ SCRIPT_REVALIDATE_MS: '1000' });
  const started = performance.now();
  for (let i = 0; i < 30; i++) expect(await it.ask()).toEqual(['script_not_found', undefined]);
  expect(it.proxy.asked.length).toBeLessThanOrEqual(1 + Math.ceil((performance.now() - started) / 1000));
  await it.system.deploy('a.example', 'setBody("one")');
  await waitFor('the script', async () => (await it.ask())[0] === 'one', { timeoutMs: 5000 });
});

test('50 requests at once are one GET', async () => {
  await using it = await startBehindProxy({ SCRIPT_REVALIDATE_MS: '1000' });
  await it.system.deploy('a.example', 'setBody("one")');
  it.proxy.always({ kind: 'delay', ms: 100 });
  const started = performance.now();
  const answers = await Promise.all(Array.from({ length: 50 }, () => it.ask()));
  expect(answers).toEqual(Array.from({ length: 50 }, () => ['one', undefined]));
  expect(it.proxy.asked.length).toBeLessThanOrEqual(Math.ceil((performance.now() - started) / 1000));
});

test('at the deadline nothing more is tried', async () => {
  await using it = await startBehindProxy({ REQUEST_DEADLINE_MS: '700', SCRIPT_TIMEOUT_MS: '500' });
  it.proxy.always(HANG);
  expect(await it.ask()).toEqual(['deadline_exceeded', undefined]);
  // Longer than a try and the longest pause: a third one would have been seen.
  await sleep(1500);
  expect(it.proxy.asked.length).toBeLessThanOrEqual(2);
});
