import { getPriority } from 'node:os';
import { pino } from 'pino';
import { describe, expect, test } from 'vitest';
import { detectLauncher } from '../../../runner/launcher/detect.ts';
import { detectNiceness, type GiveWay } from '../../../runner/launcher/niceness.ts';
import { LEVELS, type Level } from '../../../runner/launcher/walls.ts';
import { SandboxProcess } from '../../../runner/sandbox-process.ts';
import { encodeJob } from '../../../runner/sandbox/protocol.ts';
import { waitFor } from '../../helpers/wait.ts';

const BY = 7;
const niceness = detectNiceness(BY);
const normal = getPriority();

/** A sandbox whose runner looks at it every 10 ms. */
async function startSandbox(level: Level | 'auto') {
  const { launcher } = await detectLauncher(level, 61_184);
  const changes: boolean[] = [];
  let pid = 0;
  const watched = (ofSandbox: number): GiveWay => {
    pid = ofSandbox;
    const giveWay = niceness?.(pid);
    return (gives) => {
      changes.push(gives);
      giveWay?.(gives);
    };
  };
  const limits = { scriptMemoryMb: 64, residentLimit: 2 ** 28, frameLimit: 2 ** 20, niceness: watched };
  const sandbox = new SandboxProcess(launcher, limits, pino({ level: 'silent' }));
  expect(await sandbox.ready).toBe(true);
  const whenReady = changes.splice(0);
  const inspector = setInterval(() => sandbox.inspect(performance.now()), 10);
  const run = async (script: string, timeoutMs = 10_000, givesWay = false) => {
    const input = JSON.stringify({
      request: { method: 'GET', url: '/', headers: [] },
      blueprint: { status: 200, headers: [] },
      maxResponse: 1000,
    });
    const bodies = { requestBody: Buffer.alloc(0), blueprintBody: Buffer.alloc(0) };
    const job = encodeJob({ input, script: Buffer.from(script), ...bodies, timeoutMs });
    return (await sandbox.run(job, timeoutMs, givesWay)).kind;
  };
  return {
    run,
    whenReady,
    changes,
    /** Of the process that runs scripts. */
    pid,
    kill: () => sandbox.kill('closing'),
    [Symbol.asyncDispose]: async () => {
      clearInterval(inspector);
      sandbox.kill('closing');
      await sandbox.ended;
    },
  };
}

describe.runIf(niceness)('a long run gives way', () => {
  test.for(LEVELS)('at level %s, and the next does not', async (level, context) => {
    await using rig = await startSandbox(level).catch((error: unknown) => context.skip(String(error)));
    const { pid } = rig;
    const long = rig.run('const end = Date.now() + 1500; while (Date.now() < end); setBody("ok")');
    // On a busy machine it goes back and forth.
    await waitFor('the long run to give way', () => getPriority(pid) === normal + BY);
    expect(await long).toBe('answer');
    expect(await rig.run('setBody("ok")')).toBe('answer');
    expect(getPriority(pid)).toBe(normal);
  });

  test('and has the processor back when its time is up, so that it can end', async () => {
    await using rig = await startSandbox('auto');
    expect(await rig.run('for (;;);', 1000)).toBe('timeout');
    expect(rig.changes[0]).toBe(true);
    expect(await rig.run('setBody("ok")')).toBe('answer');
    expect(getPriority(rig.pid)).toBe(normal);
  });

  test('but not one that has too little of the processor, until it has had its share', async () => {
    await using rig = await startSandbox('auto');
    const long = rig.run('for (;;);');
    const gives = (): boolean => getPriority(rig.pid) === normal + BY;
    await waitFor('the long run to give way', gives);
    process.kill(rig.pid, 'SIGSTOP');
    await waitFor('it not to give way', () => !gives());
    expect(getPriority(rig.pid)).toBe(normal);
    process.kill(rig.pid, 'SIGCONT');
    await waitFor('it to give way again', gives);
    rig.kill();
    expect(await long).toBe('killed');
  });

  test.for(LEVELS)(
    'at level %s, and so does a sandbox that starts, until it is ready',
    async (level, context) => {
      await using rig = await startSandbox(level).catch((error: unknown) => context.skip(String(error)));
      // One for each process: a launcher that stays counts, too.
      expect(rig.whenReady.join()).toMatch(/^true(,true)*(,false)+$/);
      expect(getPriority(rig.pid)).toBe(normal);
    },
  );

  test('one may give way from its beginning', async () => {
    await using rig = await startSandbox('auto');
    const brief = rig.run('setBody("ok")', 1000, true);
    expect(rig.changes).toEqual([true]);
    expect(await brief).toBe('answer');
    expect(await rig.run('setBody("ok")')).toBe('answer');
    expect(rig.changes).toEqual([true, false]);
  });
});

test('that a process has gone is no error', () => {
  const giveWay = niceness?.(2 ** 22 + 1);
  expect(() => giveWay?.(true)).not.toThrow();
  expect(() => giveWay?.(false)).not.toThrow();
});
