import { Agent } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { System } from '../helpers/system.ts';

const VICTIM = 'victim.example';
/** Between two of its requests. */
const PAUSE_MS = 20;

/** Looks whether its isolate is as new, then answers with what only this request has asked for. */
const SCRIPT = `
const untouched = ['leak', 'a'].every((name) => !(name in globalThis)) && Object.keys(Object.prototype).length === 0 &&
  JSON.stringify({ a: [1] }) === '{"a":[1]}' && [3, 1].sort().join() === '1,3' && 'a'.replace('a', 'b') === 'b';
setStatus(untouched ? 200 : 500);
setBody(readRequestUrl() + readRequestBody());`;

/** A tenant who has done nothing, and sends one request after the other while others attack. */
export interface Victim {
  readonly hostname: string;
  /** What went wrong, all of it. */
  readonly failures: readonly string[];
  readonly sent: number;
  /** Milliseconds that its requests took since this was last called. */
  take(): number[];
  stop(): Promise<void>;
}

export async function startVictim(system: System): Promise<Victim> {
  await system.deploy(VICTIM, SCRIPT);
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const failures: string[] = [];
  let took: number[] = [];
  let sent = 0;
  const stopped = new AbortController();

  const ask = async (): Promise<void> => {
    const path = `/${++sent}`;
    const begun = performance.now();
    try {
      const answer = await system.request({
        hostname: VICTIM,
        path,
        method: 'POST',
        body: `:${sent}`,
        agent,
      });
      took.push(performance.now() - begun);
      if (answer.status !== 200 || answer.text !== `${path}:${sent}`)
        failures.push(`${path}: ${answer.status} ${answer.text} ${answer.header('server-timing')}`);
    } catch (error) {
      failures.push(`${path}: ${String(error)}`);
    }
  };
  const loop = async (): Promise<void> => {
    while (!stopped.signal.aborted) {
      await ask();
      await sleep(PAUSE_MS);
    }
  };
  const ended = loop();
  return {
    hostname: VICTIM,
    failures,
    get sent() {
      return sent;
    },
    take() {
      const taken = took;
      took = [];
      return taken;
    },
    async stop() {
      stopped.abort();
      await ended;
      agent.destroy();
    },
  };
}
