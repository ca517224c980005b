// oxlint-disable-next-line import/no-unassigned-import -- it acts by being loaded, before the rest takes its time
import './deaf.ts';
import { closeSync } from 'node:fs';
import { openChannel, type Channel } from './channel.ts';
import { Collector } from './collector.ts';
import { createIsolates, makeSnapshot, type PreparedIsolate } from './isolate.ts';
import { decodeJob, encodeCompiled, encodeReady, encodeResult, SANDBOX_FD } from './protocol.ts';
import type { SandboxSettings } from './settings.ts';

/** A sandbox that waited longer for its job has time to spare. */
const IDLE_MS = 2.5;
/**
 * The kernel wakes the runner on the core of the sandbox that wrote to it, expecting it to be done; but it goes on
 * with the next isolate, a millisecond that the reply would wait for. Where nothing presses, the reply goes first.
 */
const HEAD_START_MS = 0.4;

/**
 * A sandbox: a process that hosts one isolate at a time for its runner.
 *
 *     prepared → (job) → running → (result sent) → disposed → prepared → …
 *
 * The next isolate is made after the result was sent, while nobody waits for it. The process holds no
 * environment, no credentials and no connection but the pipe to its runner; it ends when the pipe does. It is
 * killed by its runner at any moment.
 *
 * Argument: its settings as JSON.
 */
const settings = JSON.parse(process.argv[2] as string) as SandboxSettings;
for (const fd of settings.close) closeSync(fd);
const channel = openChannel(SANDBOX_FD);
if (settings.task === 'snapshot') sendSnapshot(channel);
else withIsolates(channel, settings.task === 'run' ? runJobs : compileOne);
process.exit(0);

/** An isolate is made from it, too: a machine on which that fails is found out at once. */
function sendSnapshot(to: Channel): void {
  const snapshot = makeSnapshot(settings);
  createIsolates(settings, snapshot)().dispose();
  to.send([snapshot]);
}

function withIsolates(from: Channel, task: (from: Channel, prepare: () => PreparedIsolate) => void): void {
  const snapshot = from.receive()?.[0];
  if (snapshot) task(from, createIsolates(settings, snapshot));
}

function runJobs(from: Channel, prepare: () => PreparedIsolate): void {
  const collector = new Collector();
  let isolate = prepare();
  from.send(encodeReady());
  while (runOne(from, isolate)) {
    collector.collect();
    isolate = prepare();
  }
}

/**
 * One job, from its arrival to the end of its isolate. When this returns, all that was exchanged can be collected.
 *
 * @returns whether there was one; none comes when the runner has gone
 */
function runOne(from: Channel, isolate: PreparedIsolate): boolean {
  const waitedSince = performance.now();
  const frame = from.receive();
  if (!frame) return false;
  const wasIdle = performance.now() - waitedSince > IDLE_MS;
  from.send(encodeResult(isolate.run(decodeJob(frame))));
  if (wasIdle) sleep(HEAD_START_MS);
  isolate.dispose();
  return true;
}

/** A process that has run nothing compiles for nobody but the script's own tenant: it ends after that. */
function compileOne(from: Channel, prepare: () => PreparedIsolate): void {
  const isolate = prepare();
  from.send(encodeReady());
  const frame = from.receive();
  if (frame) from.send(encodeCompiled(isolate.compile(decodeJob(frame).script)));
}

function sleep(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}
