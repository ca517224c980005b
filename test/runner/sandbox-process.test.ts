import { pino } from 'pino';
import { expect, test } from 'vitest';
import { detectLauncher } from '../../runner/launcher/detect.ts';
import { SandboxProcess } from '../../runner/sandbox-process.ts';

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
