import { request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { text } from 'node:stream/consumers';

const READY_MS = 30_000;
const POLL_MS = 20;
const ANSWER_MS = 2000;

interface Answer {
  readonly status: number;
  readonly body: string;
}

/**
 * Waits until the gateway says that it is ready, which includes that a runner is there.
 *
 * @throws Error when it is not within 30 s; AbortError when `signal` comes first
 */
export async function untilReady(adminPort: number, signal: AbortSignal): Promise<void> {
  const giveUp = performance.now() + READY_MS;
  let last = 'it does not answer';
  while (performance.now() < giveUp) {
    const answer = await get(adminPort, '127.0.0.1', '/readyz').catch(() => undefined);
    if (answer?.status === 200) return;
    if (answer) last = `it answers ${answer.status} ${answer.body.trim()}`;
    await sleep(POLL_MS, undefined, { signal });
  }
  throw new Error(`the gateway is not ready after ${READY_MS / 1000} s: ${last}`);
}

/** GET from loopback, in the name of `hostname`. */
export async function get(port: number, hostname: string, path: string): Promise<Answer> {
  const signal = AbortSignal.timeout(ANSWER_MS);
  return await new Promise((resolve, reject) => {
    const asked = request({
      host: '127.0.0.1',
      port,
      path,
      headers: { host: hostname },
      signal,
      agent: false,
    });
    asked.on('error', reject);
    asked.on('response', (response) => {
      text(response).then((body) => resolve({ status: response.statusCode ?? 0, body }), reject);
    });
    asked.end();
  });
}
