import type { IncomingMessage } from 'node:http';
import { AdminProblem } from './problems.ts';

/**
 * An operator's order; `{}` when there is no body.
 *
 * @throws AdminProblem `bad_request` when it is not JSON, or has more than `maxBytes`
 */
export async function jsonBody(message: IncomingMessage, maxBytes: number): Promise<unknown> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of message as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxBytes) throw new AdminProblem('bad_request', `the body is over ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  if (size === 0) return {};
  try {
    return JSON.parse(Buffer.concat(chunks).toString());
  } catch (error) {
    throw new AdminProblem('bad_request', `the body is not JSON: ${String(error)}`, { cause: error });
  }
}
