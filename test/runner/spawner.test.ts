import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { kill } from 'node:process';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { PassThrough } from 'node:stream';
import { expect, onTestFinished, test, vi } from 'vitest';
import { Spawner } from '../../runner/spawner/spawner.ts';
import { SPAWNER_NAME } from '../../runner/spawner/messages.ts';
import { SpawnedProcess, type Started } from '../../runner/spawner/spawned-process.ts';
import { commandOf, isAlive, wholeTree } from '../helpers/process-tree.ts';
import { waitFor } from '../helpers/wait.ts';

const shell = (script: string) => ({
  command: 'sh',
  args: ['-c', script],
  cwd: tmpdir(),
  filter: undefined,
});

test('what is started has its pipe, and how it ends is told', async () => {
  const spawner = new Spawner();
  const spawned = spawner.spawn(shell('read -r line <&3; echo "$line back" >&3; exit 7'));
  const { pid, pipe } = await begun(spawned);
  expect(wholeTree(process.pid).find((member) => member.pid === pid)?.name).toBe('sh');
  pipe.write('there and\n');
  expect(String((await once(pipe, 'data'))[0])).toBe('there and back\n');
  expect(await spawned.ended).toEqual({ code: 7, signal: null });
  expect(pipe.destroyed).toBe(true);
  spawner.close();
});

test('what a process writes before its end is its runner’s to read', async () => {
  const spawner = new Spawner();
  const all = Array.from({ length: 20 }, async (_, n) => {
    const spawned = spawner.spawn(
      shell(`read -r go <&3; i=0; while [ $i -lt 200 ]; do echo ${n} >&3; i=$((i+1)); done`),
    );
    const { pipe } = await begun(spawned);
    let text = '';
    pipe.on('data', (chunk: Buffer) => (text += chunk.toString()));
    pipe.write('go\n');
    await spawned.ended;
    expect(text).toBe(`${n}\n`.repeat(200));
  });
  await Promise.all(all);
  spawner.close();
});

test('a pipe that a process has left to another one does not keep its end from being told', async () => {
  const spawner = new Spawner();
  const spawned = spawner.spawn(shell('read -r line <&3; sleep 5 & exit 7'));
  const { pipe } = await begun(spawned);
  pipe.resume().write('leave it\n');
  expect(await spawned.ended).toEqual({ code: 7, signal: null });
  expect(pipe.destroyed).toBe(true);
  spawner.close();
});

test('a process that closes its pipe is of no use any more, and is killed', async () => {
  const spawner = new Spawner();
  const spawned = spawner.spawn(shell('read -r line <&3; exec 3>&-; exec sleep 60'));
  const { pipe } = await begun(spawned);
  pipe.resume().write('close it\n');
  expect(await spawned.ended).toEqual({ code: null, signal: 'SIGKILL' });
  spawner.close();
});

test('processes may end before their runner has time to take their pipes', async () => {
  const spawner = new Spawner();
  await spawner.spawn(shell('exit 3')).ended;
  const all = Array.from({ length: 5 }, () => spawner.spawn(shell('exit 1')));
  for (const end = performance.now() + 500; performance.now() < end;);
  for (const { ended } of all) expect((await ended).code).not.toBe(0);
  expect(await spawner.spawn(shell('exit 3')).ended).toEqual({ code: 3, signal: null });
  spawner.close();
});

test('it is killed when asked, before it has been started as well as after', async () => {
  const spawner = new Spawner();
  const early = spawner.spawn(shell('exec sleep 60'));
  early.kill();
  expect(await early.ended).toEqual({ code: null, signal: 'SIGKILL' });
  const late = spawner.spawn(shell('exec sleep 60'));
  const { pid } = await begun(late);
  late.kill();
  expect(await late.ended).toEqual({ code: null, signal: 'SIGKILL' });
  expect(isAlive(pid)).toBe(false);
  // No harm: the number may be another's by now, so nothing is sent to it.
  late.kill();
  spawner.close();
});

test('the first of what it says on standard error is told, and the rest does not keep it from ending', async () => {
  const spawner = new Spawner();
  const spawned = spawner.spawn(
    shell('i=0; while [ $i -lt 9999 ]; do echo "line $i of many" >&2; i=$((i+1)); done'),
  );
  let said = '';
  spawned.onStderr = (text) => (said += text);
  expect(await spawned.ended).toEqual({ code: 0, signal: null });
  expect(said).toMatch(/^line 0 of many\nline 1 of many\n/);
  expect(said.length).toBeLessThanOrEqual(2000);
  spawner.close();
});

test('a command that is not there is an error, and the next one is started', async () => {
  const spawner = new Spawner();
  const missing = spawner.spawn({ ...shell(''), command: '/no/such/command' });
  expect(await missing.started).toBeUndefined();
  expect((await missing.ended).error?.message).toMatch('ENOENT');
  expect(await spawner.spawn(shell('exit 3')).ended).toEqual({ code: 3, signal: null });
  spawner.close();
});

test('a spawner that dies takes all that it started with it, and another one takes its place', async () => {
  const spawner = new Spawner();
  const spawned = spawner.spawn(shell('trap "" TERM; while :; do :; done'));
  const { pid } = await begun(spawned);
  const own = parentOf(pid);
  kill(own, 'SIGKILL');
  expect((await spawned.ended).error?.message).toBe('the process that starts sandboxes ended with SIGKILL');
  await waitFor('the end of what it started', () => !isAlive(pid));
  expect(await spawner.spawn(shell('exit 3')).ended).toEqual({ code: 3, signal: null });
  spawner.close();
});

test('its runner’s end is its own, and that of all that it started; SIGINT and SIGTERM are not', async () => {
  const spawner = new Spawner();
  const { pid } = await begun(spawner.spawn(shell('while :; do :; done')));
  const own = parentOf(pid);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) kill(own, signal);
  expect(await spawner.spawn(shell('exit 3')).ended).toEqual({ code: 3, signal: null });
  expect(isAlive(pid)).toBe(true);
  spawner.close();
  await waitFor('the end of both', () => !isAlive(own) && !isAlive(pid));
});

test('a runner that is killed before it has taken a pipe leaves nothing behind', async () => {
  const mark = `mark-${process.pid}-${Date.now()}`;
  const entry = fileURLToPath(new URL('spawner-killed-runner.ts', import.meta.url));
  const runner = spawn(process.execPath, [entry, mark], { stdio: 'ignore' });
  await waitFor('the process', () => marked(mark).some((pid) => pid !== runner.pid));
  const spawners = wholeTree(runner.pid as number).filter(({ name }) => name === SPAWNER_NAME);
  expect(spawners).toHaveLength(1);
  await once(runner, 'exit');
  await waitFor('the end of all', () => marked(mark).length === 0 && !isAlive(spawners[0]?.pid as number));
});

test('a frozen spawner is replaced when it does not do what it was asked for', async () => {
  const spawner = new Spawner();
  const spawned = spawner.spawn(shell('while :; do :; done'));
  const { pid } = await begun(spawned);
  const own = parentOf(pid);
  kill(own, 'SIGSTOP');
  spawned.kill();
  const next = spawner.spawn(shell('exit 3'));
  expect((await spawned.ended).error?.message).toMatch('SIGKILL');
  expect((await next.ended).error?.message).toMatch('SIGKILL');
  await waitFor('the end of what it started', () => !isAlive(pid));
  expect(await spawner.spawn(shell('exit 3')).ended).toEqual({ code: 3, signal: null });
  spawner.close();
});

test('a spawner that freezes between sending a pipe and ending its process is found out, too', () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  onTestFinished(() => void vi.useRealTimers());
  let found = 0;
  const spawned = new SpawnedProcess(
    () => undefined,
    () => found++,
  );
  spawned.kill();
  spawned.take(new PassThrough());
  vi.advanceTimersByTime(9_999);
  expect(found).toBe(0);
  vi.advanceTimersByTime(1);
  expect(found).toBe(1);
  spawned.end({ code: null, signal: 'SIGKILL' });
});

/** Processes that have it in their command. */
function marked(mark: string): number[] {
  const all = readdirSync('/proc').map(Number);
  return all.filter((pid) => pid > 0 && isAlive(pid) && commandOf(pid).includes(mark));
}

async function begun(spawned: SpawnedProcess): Promise<Started> {
  const started = await spawned.started;
  if (!started) throw new Error('it could not be started', { cause: (await spawned.ended).error });
  return started;
}

/** The spawner of what this process has had started. */
function parentOf(pid: number): number {
  const started = wholeTree(process.pid).find((member) => member.pid === pid);
  return (started as { parent: number }).parent;
}
