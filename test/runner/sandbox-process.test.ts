import { pino } from 'pino';
import { expect, test } from 'vitest';
import { detectLauncher } from '../../runner/launcher/detect.ts';
import { SandboxProcess } from '../../runner/sandbox-process.ts';
import { encodeJob } from '../../runner/sandbox/protocol.ts';

test('a sandbox that was killed gets no job any more, though it is not yet seen to have ended', async () => {
  const { launcher } = await detectLauncher('auto', 61_184);
  const limits = { scriptMemoryMb: 64, residentLimit: 2 ** 28, frameLimit: 2 ** 20 };
  const sandbox = new SandboxProcess(launcher, limits, pino({ level: 'silent' }));
  expect(await sandbox.ready).toBe(true);
  expect(sandbox.alive).toBe(true);
  sandbox.kill('clock');
  expect(sandbox.alive).toBe(false);
  await sandbox.ended;
});

test('a sandbox is not killed for its answer, which its runner had no time to read', async () => {
  const { launcher } = await detectLauncher('auto', 61_184);
  const limits = { scriptMemoryMb: 64, residentLimit: 2 ** 28, frameLimit: 2 ** 20 };
  const sandbox = new SandboxProcess(launcher, limits, pino({ level: 'silent' }));
  await sandbox.ready;
  const input = JSON.stringify({
    request: { method: 'GET', url: '/', headers: [] },
    blueprint: { status: 200, headers: [] },
    maxResponse: 1000,
  });
  const empty = { code: Buffer.alloc(0), requestBody: Buffer.alloc(0), blueprintBody: Buffer.alloc(0) };
  const job = encodeJob({ input, script: Buffer.from('setBody("in time")'), ...empty, timeoutMs: 1000 });
  const outcome = sandbox.run(job, 1000);
  const inspector = setInterval(() => sandbox.inspect(performance.now()), 10);
  await new Promise((resolve) => setImmediate(resolve));
  const end = performance.now() + 1500;
  while (performance.now() < end);
  expect(await outcome).toMatchObject({ kind: 'answer', body: Buffer.from('in time') });
  expect(sandbox.alive).toBe(true);
  clearInterval(inspector);
  sandbox.kill('closing');
  await sandbox.ended;
});

async function startSandbox() {
  const { launcher } = await detectLauncher('auto', 61_184);
  const limits = { scriptMemoryMb: 64, residentLimit: 192 * 2 ** 20, frameLimit: 2 ** 25 };
  const sandbox = new SandboxProcess(launcher, limits, pino({ level: 'silent' }));
  await sandbox.ready;
  const run = (script: string, requestBody = Buffer.alloc(0)) => {
    const input = JSON.stringify({
      request: { method: 'GET', url: '/', headers: [] },
      blueprint: { status: 200, headers: [] },
      maxResponse: 2 ** 24,
    });
    const empty = { code: Buffer.alloc(0), blueprintBody: Buffer.alloc(0) };
    const job = encodeJob({ input, script: Buffer.from(script), requestBody, ...empty, timeoutMs: 10_000 });
    return sandbox.run(job, 10_000);
  };
  return {
    run,
    /** Runs a script of another tenant, and looks at the process's memory while it does. */
    async expectRoom() {
      const inspector = setInterval(() => sandbox.inspect(performance.now()), 10);
      const last = await run('for (const start = Date.now(); Date.now() < start + 100;); setBody(typeof gc)');
      clearInterval(inspector);
      expect(last).toMatchObject({ kind: 'answer', body: Buffer.from('undefined') });
    },
    async [Symbol.asyncDispose]() {
      sandbox.kill('closing');
      await sandbox.ended;
    },
  };
}

test('large messages leave nothing behind that the next script would have to pay for', async () => {
  await using rig = await startSandbox();
  const body = Buffer.alloc(12 * 2 ** 20, 'x');
  for (let i = 0; i < 12; i++) {
    expect(await rig.run(`setBody('x'.repeat(${body.length}))`)).toMatchObject({ kind: 'answer' });
    expect(await rig.run('setBody(readRequestBody())', body)).toMatchObject({ kind: 'answer' });
  }
  await rig.expectRoom();
}, 60_000);

const LARGE = '"x".repeat(1e7)';

test.each([
  ['a value that nobody asked for', 'answer', LARGE],
  ['headers that are too large', 'oversized', `addHeader('a', ${LARGE})`],
  ['a text that was thrown', 'error', `throw ${LARGE}`],
  ['an error’s message', 'error', `throw new Error(${LARGE})`],
  ['an error’s stack', 'error', `throw Object.assign(new Error('a'), { stack: ${LARGE} })`],
  ['an error’s name', 'error', `throw Object.assign(new Error('a'), { name: ${LARGE} })`],
  ['a rejection that nobody cared for', 'error', `void Promise.reject(new Error(${LARGE}))`],
])('%s leaves nothing behind either', async (_name, kind, script) => {
  await using rig = await startSandbox();
  for (let i = 0; i < 20; i++) expect((await rig.run(script)).kind).toBe(kind);
  await rig.expectRoom();
});
