import { pino } from 'pino';
import { expect, test } from 'vitest';
import { detectLauncher } from '../../runner/launcher/detect.ts';
import type { Launcher } from '../../runner/launcher/launcher.ts';
import { Sandboxes } from '../../runner/sandboxes.ts';
import { encodeJob } from '../../runner/sandbox/protocol.ts';
import { waitFor } from '../helpers/wait.ts';

const ENDLESS = 'for(;;){}';
const BRIEF = "setBody('ok')";
const BOMB = 'const all = []; for (;;) all.push(new Array(1000).fill({}));';
const LIMIT_MS = 1500;
const same = (launcher: Launcher): Launcher => launcher;

async function startPool(
  size: number,
  spare: number,
  change: (launcher: Launcher) => Launcher = same,
  residentLimit = 2 ** 28,
) {
  const { launcher: detected } = await detectLauncher('auto', 61_184);
  const launcher = change(detected);
  const limits = { scriptMemoryMb: 64, residentLimit, frameLimit: 2 ** 20 };
  const pool = new Sandboxes({ size, spare, launcher, limits, log: pino({ level: 'silent' }) });
  await pool.start();
  const nobody = new AbortController();
  let held = 0;
  const run = async (tenant: string, script: string) => {
    const input = JSON.stringify({
      request: { method: 'GET', url: '/', headers: [] },
      blueprint: { status: 200, headers: [] },
      maxResponse: 1000,
    });
    const bodies = { requestBody: Buffer.alloc(0), blueprintBody: Buffer.alloc(0) };
    const job = encodeJob({ input, script: Buffer.from(script), ...bodies, timeoutMs: LIMIT_MS });
    const outcome = await pool.run(job, LIMIT_MS, nobody.signal, () => held++, tenant);
    held--;
    return outcome.kind;
  };
  return {
    pool,
    run,
    held: () => held,
    [Symbol.asyncDispose]: () => pool.close(),
  };
}

test.each([1, 2])(
  'size %i: endless scripts of one tenant leave a sandbox for another’s brief ones',
  async (size) => {
    await using rig = await startPool(size, 1);
    const attack = Array.from({ length: size + 4 }, () => rig.run('attacker', ENDLESS));
    await waitFor('the attack', () => rig.held() === size);
    let attackEnded = false;
    void Promise.race(attack).then(() => (attackEnded = true));
    for (let i = 0; i < 20; i++) expect(await rig.run('victim', BRIEF)).toBe('answer');
    expect(attackEnded).toBe(false);
    // The spare one is not for the attacker, however long it waits.
    expect(rig.held()).toBe(size);
    expect(rig.pool.waiting).toBe(4);
  },
);

test('known for long scripts, a tenant is not lent a spare sandbox, and a second attacker waits', async () => {
  await using rig = await startPool(1, 1);
  expect(await rig.run('second', 'const end = Date.now() + 300; while (Date.now() < end);')).toBe('answer');
  const first = rig.run('first', ENDLESS);
  await waitFor('the first', () => rig.held() === 1);
  const second = rig.run('second', ENDLESS);
  expect(await rig.run('victim', BRIEF)).toBe('answer');
  expect(rig.pool.waiting).toBe(1);
  expect(await first).not.toBe('answer');
  expect(await second).not.toBe('answer');
});

test('many unknown tenants with endless scripts do not get the last of several spare sandboxes', async () => {
  await using rig = await startPool(1, 2);
  for (let i = 0; i < 3; i++) expect(await rig.run('victim', BRIEF)).toBe('answer');
  const attack = Array.from({ length: 6 }, (_, i) => rig.run(`unknown-${i}`, ENDLESS));
  await waitFor('the attack', () => rig.held() === 2);
  let attackEnded = false;
  void Promise.race(attack).then(() => (attackEnded = true));
  for (let i = 0; i < 8; i++) expect(await rig.run('victim', BRIEF)).toBe('answer');
  expect(attackEnded).toBe(false);
  expect(rig.held()).toBe(2);
  await Promise.all(attack);
}, 20_000);

test('without spare ones the next free sandbox goes to the tenant that used less', async () => {
  await using rig = await startPool(1, 0);
  const order: string[] = [];
  const note = async (tenant: string, script: string) => {
    await rig.run(tenant, script);
    order.push(tenant);
  };
  const work = 'const end = Date.now() + 50; while (Date.now() < end);';
  const many = Array.from({ length: 6 }, () => note('many', work));
  await waitFor('the first', () => rig.held() === 1);
  await Promise.all([...many, note('few', BRIEF)]);
  expect(order.indexOf('few')).toBe(1);
});

test('a tenant whose run has cost its sandbox need not wait for the next one where a spare one is free', async () => {
  await using rig = await startPool(1, 1);
  await waitFor('both sandboxes', async () => {
    let isOver = false;
    const long = rig.run('b', ENDLESS).then(() => (isOver = true));
    await rig.run('a', BRIEF);
    const hadSpare = !isOver;
    await long;
    return hadSpare;
  });
  const first = rig.run('a', BOMB);
  const second = rig.run('a', BRIEF);
  expect(await first).toMatch(/memory|killed/);
  expect(rig.pool.waiting).toBe(0);
  expect(await second).toBe('answer');
});

test('a sandbox in which a tenant’s runs leave too little room for another’s is replaced', async () => {
  let started = 0;
  const counted = (launcher: Launcher): Launcher => {
    const start = launcher.sandbox.bind(launcher);
    launcher.sandbox = (...args) => {
      started++;
      return start(...args);
    };
    return launcher;
  };
  // A script of 60 MB fits in, but not what V8 keeps of it beside another one.
  await using rig = await startPool(1, 0, counted, 135 * 2 ** 20);
  for (let i = 0; i < 100; i++) expect(await rig.run('a', BRIEF)).toBe('answer');
  expect(started).toBe(1);
  const large = 'globalThis.all = Array.from({ length: 5e5 }, (_, i) => ({ i, and: [i] }))';
  expect(await rig.run('a', large)).toBe('answer');
  expect(await rig.run('b', BRIEF)).toBe('answer');
  expect(started).toBe(2);
});

test('a sandbox that cannot be started is tried again', async () => {
  let failures = 0;
  await using rig = await startPool(1, 0, (launcher) => {
    const start = launcher.sandbox.bind(launcher);
    launcher.sandbox = (...args) => {
      if (failures++ < 2) throw new Error('spawn ENOMEM');
      return start(...args);
    };
    return launcher;
  });
  expect(failures).toBe(3);
  expect(await rig.run('a', BRIEF)).toBe('answer');
});
