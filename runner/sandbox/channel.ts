import { readSync, writeSync } from 'node:fs';
import { decodeFrame, encodeFrame } from './frame.ts';

const WORD = 4;

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
  return {
    receive() {
      const size = readExactly(fd, WORD)?.readUInt32BE(0);
      const frame = size === undefined ? undefined : readExactly(fd, size);
      return frame && decodeFrame(frame);
    },
    send(parts) {
      const frame = encodeFrame(parts);
      for (let sent = 0; sent < frame.length;) sent += writeSync(fd, frame, sent);
    },
  };
}

function readExactly(fd: number, size: number): Buffer | undefined {
  const buffer = Buffer.allocUnsafe(size);
  for (let filled = 0; filled < size;) {
    const read = readSync(fd, buffer, filled, size - filled, null);
    if (read === 0) return undefined;
    filled += read;
  }
  return buffer;
}
