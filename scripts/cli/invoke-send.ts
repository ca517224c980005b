import { request as requestHttp, type IncomingMessage } from 'node:http';
import { request as requestHttps } from 'node:https';
import { buffer } from 'node:stream/consumers';
import { urlToHttpOptions } from 'node:url';
import { toPairs, type HeaderPair } from '../../shared/headers.ts';
import { CliError, unreachableCode } from './errors.ts';
import type { OutgoingRequest } from './invoke-request.ts';

export interface Answer {
  readonly httpVersion: string;
  readonly status: number;
  readonly statusText: string;
  /** As received: case, order and repeats. */
  readonly headers: readonly HeaderPair[];
  readonly body: Buffer;
  /** Milliseconds from before connecting to the body's last byte. */
  readonly totalMs: number;
}

/**
 * Sends one request on a connection of its own. Not with `fetch`, which lets nobody set `Host`.
 *
 * @throws CliError when the gateway cannot be reached, or breaks off
 */
export async function sendRequest(gateway: URL, outgoing: OutgoingRequest): Promise<Answer> {
  const start = performance.now();
  try {
    const response = await exchange(gateway, outgoing);
    const body = await buffer(response);
    return {
      httpVersion: response.httpVersion,
      status: response.statusCode ?? 0,
      statusText: response.statusMessage ?? '',
      headers: toPairs(response.rawHeaders),
      body,
      totalMs: performance.now() - start,
    };
  } catch (error) {
    throw new CliError(explain(gateway, error as NodeJS.ErrnoException), { cause: error });
  }
}

const MAX_HEADER_BYTES = 1_048_576;

function exchange(gateway: URL, { method, path, headers, body }: OutgoingRequest): Promise<IncomingMessage> {
  const options = {
    ...urlToHttpOptions(gateway),
    agent: false as const,
    method,
    path,
    // A flat list is sent as it is: order, case and repeats.
    headers: headers.flat(),
    maxHeaderSize: MAX_HEADER_BYTES,
  };
  return new Promise((resolve, reject) => {
    const request = gateway.protocol === 'https:' ? requestHttps(options) : requestHttp(options);
    // The listener for errors stays: sending may still fail when the answer to a large body has already come.
    request.on('response', resolve).on('error', reject);
    request.end(body);
  });
}

function explain(gateway: URL, error: NodeJS.ErrnoException): string {
  const reason = error.code ?? error.message;
  return unreachableCode(error)
    ? `cannot reach the gateway at ${gateway.origin} (${reason}); start one with: npm run dev`
    : `the gateway at ${gateway.origin} gave no complete HTTP answer: ${error.message} (${reason})`;
}
