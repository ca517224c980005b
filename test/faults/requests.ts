import type { HeaderPair } from '../../shared/headers.ts';
import type { Random } from './random.ts';

/** What one request asks for. Its path carries a marker that no other request has. */
export interface PlannedRequest {
  readonly marker: string;
  readonly path: string;
  readonly hostname: string;
  readonly method: 'GET' | 'PUT' | 'POST';
  readonly body: string | undefined;
  readonly headers: readonly HeaderPair[];
  /** Whether it has an `Idempotency-Key` that counts. */
  readonly keyed: boolean;
  /** Index of the gateway that it goes to. */
  readonly gateway: number;
  /** Pause before it, ms. */
  readonly pause: number;
}

const ANSWER = `
setHeader('X-Marker', readRequestHeader('X-Marker'));
setBody(JSON.stringify({ url: readRequestUrl(), body: readRequestBody(), blueprint: readResponseBody() }));`;

/** The tenants and their scripts; each answers with what it was asked, and with the blueprint that it was given. */
export const SCRIPTS: Readonly<Record<string, string>> = {
  'fast.example': ANSWER,
  'slow.example': `const end = Date.now() + 120; while (Date.now() < end);${ANSWER}`,
  'talks.example': `console.log(readRequestUrl());${ANSWER}`,
};

const HOSTNAMES = ['fast.example', 'fast.example', 'talks.example', 'slow.example'];
const METHODS = ['GET', 'GET', 'PUT', 'POST', 'POST'] as const;
const SIZES = [0, 10, 1000, 60_000];

/** @param name part of the marker: unique in the lab */
export function planRequest(random: Random, name: string, gateways: number): PlannedRequest {
  const marker = `${name}-${random.between(1, 1e9).toString(36)}`;
  const method = random.pick(METHODS);
  const keyed = method === 'POST' && random.percent(40);
  const key: HeaderPair[] = keyed ? [['Idempotency-Key', `"${marker}"`]] : [];
  return {
    marker,
    path: `/${marker}`,
    hostname: random.pick(HOSTNAMES),
    method,
    body: method === 'GET' ? undefined : `${marker} ${'x'.repeat(random.pick(SIZES))}`,
    headers: [['X-Marker', marker], ...key],
    keyed,
    gateway: random.between(0, gateways - 1),
    pause: random.between(0, 300),
  };
}

/** Whether a request may be run a second time when its runner was lost. */
export function mayRunTwice({ method, keyed }: PlannedRequest): boolean {
  return method !== 'POST' || keyed;
}
