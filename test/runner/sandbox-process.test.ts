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

test('large messages leave nothing behind that the next script would have to pay for', async () => {
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
  const body = Buffer.alloc(12 * 2 ** 20, 'x');
  for (let i = 0; i < 12; i++) {
    expect(await run(`setBody('x'.repeat(${body.length}))`)).toMatchObject({ kind: 'answer' });
    expect(await run('setBody(readRequestBody())', body)).toMatchObject({ kind: 'answer' });
  }
  const last = run('for (const start = Date.now(); Date.now() < start + 100;); setBody(typeof gc)');
  sandbox.inspect(performance.now());
  expect(await last).toMatchObject({ kind: 'answer', body: Buffer.from('undefined') });
  sandbox.kill('closing');
  await sandbox.ended;
}, 60_000);
