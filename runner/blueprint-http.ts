import { errors, Pool } from 'undici';
import type { Config } from '../shared/config.ts';
import { endToEnd, headerValues, toPairs } from '../shared/headers.ts';
import { isIdempotent, type InvocationRequest } from '../shared/invocation.ts';
import { readBounded } from './bounded-body.ts';
import type { Blueprint } from './blueprint.ts';
import { withRetries } from './retry.ts';

export interface BlueprintClient {
  /**
   * @param uri absolute, the request's target
   * @throws Error when there is no whole answer in time, or the signal's reason
   */
  ask(request: InvocationRequest, uri: string, signal: AbortSignal): Promise<Blueprint>;
  close(): Promise<void>;
}

type Limits = Pick<Config, 'UPSTREAM_TIMEOUT_MS' | 'MAX_RESPONSE_BYTES'>;

const CONNECTIONS = 64;

/** A 503 that may be another answer in a moment. */
class Busy extends Error {
  readonly answer: Blueprint;

  constructor(answer: Blueprint) {
    super('the blueprint server answered 503');
    this.answer = answer;
  }
}

/**
 * Repeats requests to an HTTP server in proxy form: absolute URI as the request target, everything else as the
 * client sent it. Redirects are not followed. Source: RFC 9112 section 3.2.2 (absolute-form).
 *
 * A request is repeated where that is safe: any while no connection could be made, one with an idempotent method
 * (RFC 9110 section 9.2.2) also after a broken connection or a 503 without `Retry-After`. A 503 that stays is a
 * blueprint like any other status. What took too long is not tried again.
 */
export function createBlueprintClient(origin: string, limits: Limits): BlueprintClient {
  const timeout = limits.UPSTREAM_TIMEOUT_MS;
  // One time limit rules over all of a try, below; the pool's own would only come later.
  const pool = new Pool(origin, {
    connections: CONNECTIONS,
    headersTimeout: 0,
    bodyTimeout: 0,
    connect: { timeout },
  });
  return {
    async ask(request, uri, signal) {
      const mayRepeat = isIdempotent(request.method);
      try {
        return await withRetries(
          () => askOnce(pool, limits, request, uri, signal),
          (error) => isUnsent(error) || (mayRepeat && isPassing(error)),
          signal,
        );
      } catch (error) {
        if (error instanceof Busy) return error.answer;
        throw error;
      }
    },
    close: () => pool.close(),
  };
}

async function askOnce(
  pool: Pool,
  limits: Limits,
  request: InvocationRequest,
  uri: string,
  signal: AbortSignal,
): Promise<Blueprint> {
  const answer = await pool.request({
    path: uri,
    method: request.method,
    headers: endToEnd(request.headers).flat(),
    body: request.body.length > 0 ? request.body : null,
    responseHeaders: 'raw',
    signal: AbortSignal.any([signal, AbortSignal.timeout(limits.UPSTREAM_TIMEOUT_MS)]),
  });
  const headers = toPairs(answer.headers as unknown as string[]);
  const body = await readBounded(answer.body, limits.MAX_RESPONSE_BYTES);
  const blueprint = { status: answer.statusCode, headers, body };
  if (answer.statusCode === 503 && headerValues(headers, 'retry-after').length === 0)
    throw new Busy(blueprint);
  return blueprint;
}

/** No connection could be made, so the server has not seen the request. A host may have had several addresses. */
function isUnsent(error: Error): boolean {
  if (error instanceof AggregateError) return error.errors.every((each) => isUnsent(each as Error));
  return ['connect', 'getaddrinfo'].includes((error as NodeJS.ErrnoException).syscall ?? '');
}

/** The connection broke before all of the answer was there, or the server is busy. */
function isPassing(error: Error): boolean {
  if (error instanceof Busy || error instanceof errors.SocketError) return true;
  return ['ECONNRESET', 'EPIPE'].includes((error as NodeJS.ErrnoException).code ?? '');
}
