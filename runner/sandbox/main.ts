import { closeSync } from 'node:fs';
import { openChannel } from './channel.ts';
import { createIsolates } from './isolate.ts';
import { decodeJob, encodeReady, encodeResult, SANDBOX_FD } from './protocol.ts';
import type { SandboxSettings } from './settings.ts';

/**
 * A sandbox: a child process of a runner that hosts one isolate at a time.
 *
 *     prepared → (job) → running → (result sent) → disposed → prepared → …
 *
 * The next isolate is made after the result was sent, while nobody waits for it. The process holds no
 * environment, no credentials and no connection but the pipe to its runner; it ends when the pipe does. It is
 * killed by its runner at any moment.
 *
 * Argument: its settings as JSON.
 */
/** A sandbox that waited longer for its job has time to spare. */
const IDLE_MS = 2.5;
/**
 * The kernel wakes the runner on the core of the sandbox that wrote to it, expecting it to be done; but it goes on
 * with the next isolate, a millisecond that the reply would wait for. Where nothing presses, the reply goes first.
 */
const HEAD_START_MS = 0.4;

const settings = JSON.parse(process.argv[2] as string) as SandboxSettings;
for (const fd of settings.close) closeSync(fd);
const prepare = createIsolates(settings);
const channel = openChannel(SANDBOX_FD);
let isolate = prepare();
channel.send(encodeReady());
for (;;) {
  const waitedSince = performance.now();
  const frame = channel.receive();
  if (!frame) break;
  const wasIdle = performance.now() - waitedSince > IDLE_MS;
  const result = isolate.run(decodeJob(frame));
  channel.send(encodeResult(result));
  if (wasIdle) sleep(HEAD_START_MS);
  isolate.dispose();
  isolate = prepare();
}
process.exit(0);

function sleep(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}
