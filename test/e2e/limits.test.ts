import { expect, test } from 'vitest';
import { processTree } from '../helpers/process-tree.ts';
import { startSystem } from '../helpers/system.ts';
import { waitFor } from '../helpers/wait.ts';

test('an endless loop ends by its limit, and another tenant is answered meanwhile', async () => {
  await using system = await startSystem({ env: { SCRIPT_TIMEOUT_MS: '2000' } });
  await system.deploy('loop.example', 'for(;;){}');
  await system.deploy('other.example', 'setBody("ok")');
  const looping = new AbortController();
  const loop = system.request({ hostname: 'loop.example' }).finally(() => looping.abort());
  let answered = 0;
  while (!looping.signal.aborted) {
    expect((await system.request({ hostname: 'other.example' })).text).toBe('ok');
    if (!looping.signal.aborted) answered++;
  }
  expect((await loop).json()).toMatchObject({ code: 'script_timeout' });
  // One every 100 ms would be a hundred times slower than usual.
  expect(answered).toBeGreaterThan(20);
});

test('after 200 loops and 200 memory bombs the runner is as large as before', async () => {
  await using system = await startSystem({
    env: { SCRIPT_TIMEOUT_MS: '100', SCRIPT_MEMORY_MB: '16', SANDBOX_MEMORY_MB: '112' },
  });
  await system.deploy('loop.example', 'for(;;){}');
  // Either bursts its limit well within the script's time.
  await system.deploy(
    'bomb.example',
    'new Array(1e7).join("abcdefgh"); for (const a = []; ; ) a.push(new Uint8Array(1e6).fill(1))',
  );
  await system.deploy('other.example', 'setBody("ok")');
  const runner = system.runners[0]?.pid as number;
  const resident = () => processTree(runner).reduce((sum, { rss }) => sum + rss, 0);

  const attack = async (rounds: number) => {
    const codes = new Map<string, number>();
    let next = 0;
    const attacker = async (): Promise<void> => {
      while (next < rounds) {
        const hostname = next++ % 2 ? 'loop.example' : 'bomb.example';
        const { code } = (await system.request({ hostname })).json() as { code: string };
        codes.set(`${hostname} ${code}`, (codes.get(`${hostname} ${code}`) ?? 0) + 1);
      }
    };
    await Promise.all([attacker(), attacker()]);
    return codes;
  };
  await attack(40);
  await waitFor('both sandboxes', () => processTree(runner).length === 3);
  for (let i = 0; i < 50; i++) await system.request({ hostname: 'other.example' });
  const before = resident();

  const codes = await attack(400);
  expect(codes.get('loop.example script_timeout')).toBe(200);
  expect(codes.get('bomb.example memory_limit') ?? 0).toBeGreaterThan(150);
  // On a machine that is busy otherwise a bomb's time can be up before its memory is; nothing else may happen.
  expect([...codes.keys()].filter((key) => !/memory_limit|script_timeout/.test(key))).toEqual([]);
  await waitFor('both sandboxes', () => processTree(runner).length === 3);
  for (let i = 0; i < 50; i++) expect((await system.request({ hostname: 'other.example' })).text).toBe('ok');
  await waitFor('its size', () => resident() < before * 1.2, { details: () => `${before} -> ${resident()}` });
}, 150_000);
