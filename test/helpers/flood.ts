import { Agent } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Answer } from './http.ts';
import type { System } from './system.ts';

/** What came of a tenant's requests: how many with which code (`ok` for the script's own answer). */
export interface Outcomes {
  readonly codes: Map<string, number>;
  /** Milliseconds of those that were answered by the script. */
  readonly latencies: number[];
  /** What those took in sandboxes, as their runners measured it, milliseconds. */
  sandboxMs: number;
  readonly refusals: { readonly answer: Answer; readonly ms: number }[];
}

/**
 * Clients of one tenant, each with a connection of its own, that ask again as soon as they are answered, or after
 * `pauseMs`, until the signal comes.
 */
export async function flood(
  system: System,
  options: { hostname: string; connections: number; signal: AbortSignal; pauseMs?: number },
): Promise<Outcomes> {
  const { hostname, connections, signal, pauseMs } = options;
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const outcomes: Outcomes = { codes: new Map(), latencies: [], sandboxMs: 0, refusals: [] };
  const client = async (): Promise<void> => {
    while (!signal.aborted) {
      const started = performance.now();
      const answer = await system.request({ hostname, agent, signal }).catch(() => undefined);
      if (!answer || signal.aborted) return;
      note(outcomes, answer, performance.now() - started);
      if (pauseMs !== undefined) await sleep(pauseMs);
    }
  };
  await Promise.all(Array.from({ length: connections }, client));
  agent.destroy();
  return outcomes;
}

function note(outcomes: Outcomes, answer: Answer, ms: number): void {
  const { codes, latencies, refusals } = outcomes;
  const isOwn = answer.status === 200;
  const code = isOwn ? 'ok' : (answer.json() as { code: string }).code;
  codes.set(code, (codes.get(code) ?? 0) + 1);
  if (isOwn) latencies.push(ms);
  else refusals.push({ answer, ms });
  if (isOwn) outcomes.sandboxMs += timing(answer, 'isolate') + timing(answer, 'script');
}

/** A figure of `Server-Timing`, milliseconds. */
function timing(answer: Answer, name: string): number {
  return Number(new RegExp(`${name};dur=([\\d.]+)`).exec(answer.header('server-timing') ?? '')?.[1] ?? 0);
}

/** @param q 0 to 1 */
export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? NaN;
}
