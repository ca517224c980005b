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
const settings = JSON.parse(process.argv[2] as string) as SandboxSettings;
for (const fd of settings.close) closeSync(fd);
const prepare = createIsolates(settings);
const channel = openChannel(SANDBOX_FD);
let isolate = prepare();
channel.send(encodeReady());
for (let frame = channel.receive(); frame; frame = channel.receive()) {
  const result = isolate.run(decodeJob(frame));
  channel.send(encodeResult(result));
  isolate.dispose();
  isolate = prepare();
}
process.exit(0);
