import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { System } from '../helpers/system.ts';
import type { VictimReport } from './victim-process.ts';

const VICTIM = 'victim.example';
const PROCESS = fileURLToPath(new URL('./victim-process.ts', import.meta.url));

/** Looks whether its isolate is as new, then answers with what only this request has asked for. */
const SCRIPT = `
const untouched = ['leak', 'a'].every((name) => !(name in globalThis)) && Object.keys(Object.prototype).length === 0 &&
  JSON.stringify({ a: [1] }) === '{"a":[1]}' && [3, 1].sort().join() === '1,3' && 'a'.replace('a', 'b') === 'b';
setStatus(untouched ? 200 : 500);
setBody(readRequestUrl() + readRequestBody());`;

/**
 * A tenant who has done nothing, and sends one request after the other while others attack: from a process of its
 * own, or what the attackers do in theirs would count as its latency.
 */
export interface Victim {
  readonly hostname: string;
  /** The process that asks. */
  readonly pid: number;
  /** What went wrong, all of it. */
  readonly failures: readonly string[];
  readonly sent: number;
  /** Milliseconds that its requests took since this was last called. */
  take(): number[];
  stop(): Promise<void>;
}

export async function startVictim(system: System): Promise<Victim> {
  await system.deploy(VICTIM, SCRIPT);
  const child = fork(PROCESS, [String(system.port), VICTIM]);
  const ended = once(child, 'exit');
  const failures: string[] = [];
  let took: number[] = [];
  let sent = 0;
  child.on('message', ({ tookMs, failure }: VictimReport) => {
    sent++;
    took.push(tookMs);
    if (failure !== undefined) failures.push(failure);
  });
  let isStopping = false;
  child.once('exit', (code, signal) => {
    if (!isStopping) failures.push(`its process ended (${code ?? signal})`);
  });
  return {
    hostname: VICTIM,
    pid: child.pid as number,
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
      isStopping = true;
      if (child.connected) child.disconnect();
      await ended;
    },
  };
}
