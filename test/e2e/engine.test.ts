import { expect, test } from 'vitest';
import { startSystem } from '../helpers/system.ts';

const PROBE = `
  const names = ['WebAssembly', 'SharedArrayBuffer', 'Atomics', 'Temporal'];
  const before = Date.now();
  for (let i = 0, x = 0; i < 3e6; i++) x += i % 7;
  setBody(JSON.stringify([names.filter((name) => name in globalThis), Date.now() - before]));`;

test('scripts have what is granted, on the engine and with the clock that are configured', async () => {
  await using system = await startSystem({
    env: {
      SANDBOX_GRANTS: 'WebAssembly, Temporal',
      SANDBOX_V8_FLAGS: '--disable-optimizing-compilers --no-sparkplug --regexp-interpret-all',
      SANDBOX_CLOCK_MS: '0',
      SCRIPT_TIMEOUT_MS: '10000',
    },
  });
  await system.deploy('probe.example', PROBE);
  const answer = await system.request({ hostname: 'probe.example' });
  expect(answer.json()).toEqual([['WebAssembly', 'Temporal'], 0]);
});

test('by default nothing is granted, and the clock goes', async () => {
  await using system = await startSystem();
  const clock = 'const start = Date.now(); while (Date.now() === start); ';
  await system.deploy('probe.example', clock + PROBE);
  const answer = await system.request({ hostname: 'probe.example' });
  expect((answer.json() as unknown[])[0]).toEqual([]);
});
