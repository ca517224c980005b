import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import type { Child, LogRecord } from '../helpers/child.ts';
import { said, startCrashLab, type CrashLab } from '../helpers/crash-lab.ts';
import { processTree } from '../helpers/process-tree.ts';
import { waitFor } from '../helpers/wait.ts';

/** A script's time, longer than it takes to notice that its runner is gone. */
const RUN_MS = 6000;

let lab: CrashLab;
afterEach(() => lab[Symbol.asyncDispose]());

test('a runner frozen under a POST comes back: its run is stopped, and the one answer is runner_lost', async () => {
  lab = await startCrashLab();
  const release = lab.blueprints.hold();
  const pending = lab.ask('POST');
  await lab.asked(1);
  const other = await lab.freezeUntilTaken();
  expect((await pending).json()).toMatchObject({ code: 'runner_lost' });
  lab.runner.signal('SIGCONT');
  await waitFor('its stop', () => said(lab.runner, 'another runner has the job: stopped'));
  // It says so first; a blueprint that is released at once may be there before the connection's end.
  await waitFor('its connection’s end', () => lab.blueprints.brokenOff.length === 1);
  release();
  expect((await lab.failedReasons()).map((reason) => reason?.split(':')[0])).toEqual(['runner_lost']);
  expect(await lab.endings()).toEqual({ runner_lost: 1 });
  other.signal('SIGKILL');
  await other.exit;
  expect((await lab.ask('GET')).text).toBe('2');
});

test('a runner frozen while its sandbox works comes back with a result, which is refused', async () => {
  lab = await startCrashLab({ BLUEPRINT_TARGET: '', REQUEST_DEADLINE_MS: '26000' });
  const source = `
    const run = String(Math.random());
    console.log(run);
    const end = Date.now() + ${RUN_MS};
    while (Date.now() < end);
    setBody(run);`;
  await lab.system.deploy('slow.example', source);
  const pending = lab.system.request({ hostname: 'slow.example' });
  const isBusy = ({ pid }: Child): boolean =>
    processTree(pid)
      .slice(1)
      .some(({ cpu }) => cpu > 60);
  await waitFor('the run', () => isBusy(lab.runner));
  const began = performance.now();
  const other = await lab.freezeUntilTaken();
  await waitFor('the second run', () => isBusy(other));
  // Its sandbox, which is not frozen, has ended its script by then.
  await sleep(Math.max(0, RUN_MS - (performance.now() - began)));
  lab.runner.signal('SIGCONT');
  const ran = ({ lines }: LogRecord): string => (lines as { text: string }[])[0]?.text ?? '';
  const { text } = await pending;
  await waitFor('its console', () => said(other, 'console'));
  expect(text).toBe(ran(await other.logged('console')));
  const refused = ['result refused: another runner has the job', 'another runner has the job: stopped'];
  await waitFor('the refusal', () => refused.some((msg) => said(lab.runner, msg)));
  expect(await lab.failedReasons()).toEqual([]);
  expect(await lab.endings()).toEqual({ ok: 1 });
});

test('a runner comes back when all is over: its reply is the second, dropped and counted', async () => {
  lab = await startCrashLab();
  const release = lab.blueprints.hold();
  const pending = lab.ask('GET');
  await lab.asked(1);
  await lab.freezeUntilTaken();
  await lab.asked(2);
  release();
  expect((await pending).text).toBe('2');
  lab.runner.signal('SIGCONT');
  const unclaimed = async () => (await lab.metrics()).get('lc500_replies_total{result="unclaimed"}');
  await waitFor('the second reply', async () => (await unclaimed()) === 1);
  expect(await lab.endings()).toEqual({ ok: 1 });
  expect(await lab.failedReasons()).toEqual([]);
});

test('a runner frozen under a POST with a key: one outcome is kept, whoever made it', async () => {
  lab = await startCrashLab();
  const key = [['Idempotency-Key', '"k"']] as const;
  const release = lab.blueprints.hold();
  const pending = lab.ask('POST', key);
  await lab.asked(1);
  await lab.freezeUntilTaken();
  await lab.asked(2);
  lab.runner.signal('SIGCONT');
  release();
  const { status, text } = await pending;
  expect(status).toBe(200);
  expect((await lab.ask('POST', key)).text).toBe(text);
  expect(lab.blueprints.asked).toHaveLength(2);
  expect(await lab.failedReasons()).toEqual([]);
});
