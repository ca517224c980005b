import { Agent } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { sendRequest } from '../helpers/http.ts';

/** What the victim tells of each of its requests. */
export interface VictimReport {
  readonly tookMs: number;
  /** What was wrong with the answer, if anything. */
  readonly failure?: string;
}

/** Between two of its requests. */
const PAUSE_MS = 20;

/** `node victim-process.ts <port> <hostname>`: sends one request after the other until its parent has gone. */
const [port, hostname] = [Number(process.argv[2]), String(process.argv[3])];
const agent = new Agent({ keepAlive: true, maxSockets: 1 });
for (let sent = 1; process.connected; sent++) {
  const report = await ask(sent);
  // Nobody hears of the last one.
  if (process.connected) process.send?.(report, () => undefined);
  await sleep(PAUSE_MS);
}
agent.destroy();

async function ask(number: number): Promise<VictimReport> {
  const path = `/${number}`;
  const begun = performance.now();
  const failure = await sendRequest(port, { hostname, path, method: 'POST', body: `:${number}`, agent }).then(
    (answer) =>
      answer.status === 200 && answer.text === `${path}:${number}`
        ? undefined
        : `${path}: ${answer.status} ${answer.text} ${answer.header('server-timing')}`,
    (error: unknown) => `${path}: ${String(error)}`,
  );
  return { tookMs: performance.now() - begun, ...(failure !== undefined && { failure }) };
}
