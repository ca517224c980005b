import type { IncomingMessage, ServerResponse } from 'node:http';
import { LC500Error } from '../shared/errors.ts';
import type { BodyMemory } from './body-memory.ts';

const NO_BODY = Buffer.alloc(0);

/**
 * All of a request's body. Its bytes count in `memory` from when they come until the request is answered.
 *
 * @param res the answer to come
 * @throws LC500Error `request_too_large` as soon as the limit is passed, `overloaded` when there is no memory for it,
 *   `bad_request` when the client breaks off
 */
export async function readBody(
  message: IncomingMessage,
  res: ServerResponse,
  maxBytes: number,
  memory: BodyMemory,
): Promise<Buffer> {
  const { 'content-length': length, 'transfer-encoding': encoding } = message.headers;
  if (encoding === undefined && (length === undefined || length === '0')) return NO_BODY;
  if (Number(length ?? 0) > maxBytes) throw tooLarge(maxBytes);
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const stop = (error?: LC500Error): void => {
      message.off('data', onData).off('end', onEnd).off('error', onBroken).off('close', onBroken);
      if (!error) return;
      // What comes after is thrown away by whoever sends the error.
      message.on('error', () => undefined).pause();
      hold.release();
      reject(error);
    };
    const hold = memory.hold(() => stop(overloaded()));
    const onData = (chunk: Buffer): void => {
      size += chunk.length;
      chunks.push(chunk);
      if (size > maxBytes) stop(tooLarge(maxBytes));
      else if (!hold.take(chunk.length)) stop(overloaded());
    };
    const onEnd = (): void => {
      stop();
      hold.settle();
      resolve(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, size));
    };
    const onBroken = (error?: Error): void =>
      stop(new LC500Error('bad_request', 'the body did not arrive whole', { cause: error }));
    message.on('data', onData).on('end', onEnd).on('error', onBroken).on('close', onBroken);
    res.once('close', () => hold.release());
  });
}

function tooLarge(maxBytes: number): LC500Error {
  return new LC500Error('request_too_large', `the body is over ${maxBytes} bytes`);
}

function overloaded(): LC500Error {
  return new LC500Error('overloaded', 'there is no memory for more request bodies');
}
