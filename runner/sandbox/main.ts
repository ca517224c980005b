import { openChannel } from './channel.ts';
import { createIsolates } from './isolate.ts';
import { decodeJob, encodeReady, encodeResult, SANDBOX_FD } from './protocol.ts';

/**
 * A sandbox: a child process of a runner that hosts one isolate at a time.
 *
 *     prepared → (job) → running → (result sent) → disposed → prepared → …
 *
 * The next isolate is made after the result was sent, while nobody waits for it. The process holds no
 * environment, no credentials and no connection but the pipe to its runner; it ends when the pipe does. It is
 * killed by its runner at any moment.
 *
 * Arguments: heap of one isolate in MiB.
 */
const prepare = createIsolates(Number(process.argv[2]));
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
