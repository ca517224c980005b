import { Agent, request as httpRequest, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { TENANTS } from './tenants.ts';

/** What the clients saw. */
export interface Seen {
  /** `ok`, an error's code, or what else came: how often. */
  readonly answers: Record<string, number>;
  /** Answers that were not to the request that got them. */
  crossed: number;
  /** Connections that broke, or requests that had no answer after `LIMIT_MS`. */
  unanswered: number;
  slowestMs: number;
}

/** The default deadline and a second. */
const LIMIT_MS = 26_000;
const HOSTNAMES = [...TENANTS.keys()];

/**
 * Sends requests, `connections` at a time, in turn to each of the ports: GET, PUT and POST, one POST in five with an
 * `Idempotency-Key` of its own, bodies up to 4 KB.
 */
export async function runLoad(
  ports: readonly number[],
  options: { requests: number; connections: number; random: () => number },
): Promise<Seen> {
  const { requests, connections, random } = options;
  const seen: Seen = { answers: {}, crossed: 0, unanswered: 0, slowestMs: 0 };
  using agent = Object.assign(new Agent({ keepAlive: true, maxSockets: connections }), {
    [Symbol.dispose]: () => agent.destroy(),
  });
  let next = 0;
  const client = async (): Promise<void> => {
    while (next < requests) {
      const number = next++;
      await ask(ports[number % ports.length] as number, `m${number}`, agent, random, seen);
    }
  };
  await Promise.all(Array.from({ length: connections }, client));
  return seen;
}

async function ask(
  port: number,
  marker: string,
  agent: Agent,
  random: () => number,
  seen: Seen,
): Promise<void> {
  const dice = random();
  const method = dice < 0.6 ? 'GET' : dice < 0.8 ? 'PUT' : 'POST';
  const body = method === 'GET' ? '' : marker.padEnd(Math.floor(random() * 4096), '.');
  const host = HOSTNAMES[Math.floor(random() * HOSTNAMES.length)] as string;
  const key = method === 'POST' && random() < 0.2 ? { 'idempotency-key': `"${marker}"` } : {};
  const headers = { host, 'x-marker': marker, 'content-length': Buffer.byteLength(body), ...key };
  const began = performance.now();
  try {
    const answer = await send({ port, method, path: `/${marker}`, headers, agent }, body);
    const code = answer.code ?? 'ok';
    seen.answers[code] = (seen.answers[code] ?? 0) + 1;
    if (code === 'ok' && (answer.marker !== marker || answer.body !== `/${marker} ${body}`)) seen.crossed++;
  } catch {
    seen.unanswered++;
  }
  seen.slowestMs = Math.max(seen.slowestMs, performance.now() - began);
}

interface Answer {
  readonly code: string | undefined;
  readonly marker: string | undefined;
  readonly body: string;
}

async function send(options: object, body: string): Promise<Answer> {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    httpRequest({ host: '127.0.0.1', signal: AbortSignal.timeout(LIMIT_MS), ...options }, resolve)
      .on('error', reject)
      .end(body);
  });
  const received = await text(response);
  const isProblem = response.headers['content-type'] === 'application/problem+json';
  const code = isProblem ? (JSON.parse(received) as { code: string }).code : undefined;
  const other = response.statusCode === 200 ? undefined : `status ${response.statusCode}`;
  return { code: code ?? other, marker: response.headers['x-marker'] as string | undefined, body: received };
}
