import { setTimeout as sleep } from 'node:timers/promises';
import { sendRequest, type Answer, type RequestOptions } from '../helpers/http.ts';
import type { Lab } from './lab.ts';
import { createRandom } from './random.ts';
import { planRequest, type PlannedRequest } from './requests.ts';

/** A request and what became of it. Times by this process's clock, ms. */
export interface Exchange {
  readonly request: PlannedRequest;
  readonly sentAt: number;
  readonly endedAt: number;
  readonly status: number;
  /** `ok`, the problem's code, `refused` (no connection was made), or `broken` (it broke before the answer). */
  readonly code: string;
  readonly requestId: string | undefined;
  /** Whether the answer is this very request's. */
  readonly own: boolean;
}

export interface Load {
  readonly exchanges: readonly Exchange[];
  /** No new requests; resolves when the last one has ended. */
  stop(): Promise<void>;
}

const CLIENTS = 6;

/** Clients that ask one request after the other; the seed decides what they ask. */
export function startLoad(lab: Lab, seed: number, name: string): Load {
  const exchanges: Exchange[] = [];
  const stopped = new AbortController();
  const client = async (number: number): Promise<void> => {
    const random = createRandom(seed * 1000 + number);
    for (let i = 0; !stopped.signal.aborted; i++) {
      const request = planRequest(random, `${name}-${number}-${i}`, lab.gateways.length);
      await sleep(request.pause);
      exchanges.push(await exchange(lab, request));
    }
  };
  const clients = Array.from({ length: CLIENTS }, (_, number) => client(number));
  return {
    exchanges,
    async stop() {
      stopped.abort();
      await Promise.all(clients);
    },
  };
}

export async function exchange(lab: Lab, request: PlannedRequest): Promise<Exchange> {
  const sentAt = performance.now();
  const port = lab.gateways[request.gateway]?.port as number;
  const result = await sendRequest(port, optionsOf(request)).catch((error: NodeJS.ErrnoException) => error);
  const times = { request, sentAt, endedAt: performance.now() };
  if (result instanceof Error) {
    const code = result.code === 'ECONNREFUSED' ? 'refused' : 'broken';
    return { ...times, status: 0, code, requestId: undefined, own: true };
  }
  return {
    ...times,
    status: result.status,
    code: result.status === 200 ? 'ok' : problemCode(result),
    requestId: result.header('x-request-id'),
    own: result.status !== 200 || isOwn(request, result),
  };
}

export function optionsOf({ hostname, method, path, headers, body }: PlannedRequest): RequestOptions {
  return { hostname, method, path, headers, ...(body === undefined ? {} : { body }) };
}

export function problemCode(answer: Answer): string {
  try {
    return String((answer.json() as { code?: string }).code ?? answer.status);
  } catch {
    return String(answer.status);
  }
}

export function isOwn({ marker, path, body = '' }: PlannedRequest, answer: Answer): boolean {
  const expected = JSON.stringify({ url: path, body, blueprint: path });
  return answer.header('x-marker') === marker && answer.text === expected;
}
