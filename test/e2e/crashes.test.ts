import { afterEach, expect, test } from 'vitest';
import { startCrashLab, type CrashLab } from '../helpers/crash-lab.ts';
import { processTree } from '../helpers/process-tree.ts';
import { waitFor } from '../helpers/wait.ts';

let lab: CrashLab;
afterEach(() => lab[Symbol.asyncDispose]());

test('a sandbox is killed: its request gets runner_lost, another takes its place', async () => {
  lab = await startCrashLab({ RUNNER_SANDBOXES: '1', BLUEPRINT_TARGET: '' });
  await lab.system.deploy('loop.example', 'for(;;){}');
  const pending = lab.system.request({ hostname: 'loop.example' });
  const sandboxes = () => processTree(lab.runner.pid).slice(1);
  await waitFor('a busy one', () => sandboxes().some(({ cpu }) => cpu > 60));
  const [busy] = sandboxes().toSorted((a, b) => b.cpu - a.cpu);
  process.kill(busy?.pid as number, 'SIGKILL');
  expect((await pending).json()).toMatchObject({ code: 'runner_lost', status: 502 });
  expect((await lab.ask('GET')).status).toBe(200);
  expect(await lab.endings()).toEqual({ runner_lost: 1, ok: 1 });
});

test('a runner is killed under a POST: runner_lost, and neither storage nor blueprint server is asked again', async () => {
  lab = await startCrashLab();
  lab.blueprints.hold();
  const pending = lab.ask('POST');
  await lab.asked(1);
  await waitFor('the script', () => lab.storage.asked.length > 0);
  const before = lab.storage.asked.length;
  lab.runner.signal('SIGKILL');
  await lab.system.addRunner();
  const killed = performance.now();
  expect((await pending).json()).toMatchObject({ code: 'runner_lost' });
  // Within 5 s on a machine that has nothing else to do.
  expect(performance.now() - killed).toBeLessThan(12_000);
  expect(lab.blueprints.asked).toHaveLength(1);
  expect(lab.storage.asked).toHaveLength(before);
});

test('a GET that kills its runner twice is not run a third time', async () => {
  lab = await startCrashLab();
  const release = lab.blueprints.hold();
  const pending = lab.ask('GET');
  for (const run of [1, 2]) {
    await lab.asked(run);
    lab.system.runners.at(-1)?.signal('SIGKILL');
    await lab.system.addRunner();
  }
  expect((await pending).json()).toMatchObject({ code: 'runner_lost' });
  expect(lab.blueprints.asked).toHaveLength(2);
  release();
  expect(await lab.endings()).toEqual({ runner_lost: 1 });
});
