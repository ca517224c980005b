import { readSync, writeSync } from 'node:fs';
import { decodeFrame, encodeFrame } from './frame.ts';

const WORD = 4;
/** Bytes asked for at once. */
const CHUNK = 65_536;

/**
 * The sandbox's end of the pipe to its runner, read and written synchronously: a sandbox has one thing to do at
 * a time, and blocking in the kernel costs less than an event loop around it.
 */
export interface Channel {
  /** The next frame; `undefined` when the runner has gone. */
  receive(): Buffer[] | undefined;
  send(parts: readonly Buffer[]): void;
}

export function openChannel(fd: number): Channel {
  let received = Buffer.alloc(0);
  /** Until there are `size` bytes; most messages are here with one read. */
  const receiveUntil = (size: number): boolean => {
    while (received.length < size) {
      const chunk = Buffer.allocUnsafe(Math.max(CHUNK, size - received.length));
      const read = readSync(fd, chunk, 0, chunk.length, null);
      if (read === 0) return false;
      const fresh = chunk.subarray(0, read);
      received = received.length === 0 ? fresh : Buffer.concat([received, fresh]);
    }
    return true;
  };
  return {
    receive() {
      if (!receiveUntil(WORD)) return undefined;
      const end = WORD + received.readUInt32BE(0);
      if (!receiveUntil(end)) return undefined;
      const frame = received.subarray(WORD, end);
      received = received.subarray(end);
      return decodeFrame(frame);
    },
    send(parts) {
      const frame = encodeFrame(parts);
      for (let sent = 0; sent < frame.length;) sent += writeSync(fd, frame, sent);
    },
  };
}
