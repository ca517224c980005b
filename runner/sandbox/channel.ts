import { readSync, writeSync } from 'node:fs';
import { decodeFrame, frameSize, writeFrame } from './frame.ts';

const WORD = 4;
/** Bytes of a buffer to begin with. */
const LEAST = 65_536;

/**
 * The sandbox's end of the pipe to its runner, read and written synchronously: a sandbox has one thing to do at
 * a time, and blocking in the kernel costs less than an event loop around it.
 */
export interface Channel {
  /** The next frame, whose parts are there until another is asked for; `undefined` when the runner has gone. */
  receive(): Buffer[] | undefined;
  send(parts: readonly Buffer[]): void;
}

export function openChannel(fd: number): Channel {
  const incoming = new Room();
  const outgoing = new Room();
  let received = 0;
  /** Until there are `size` bytes; most messages are here with one read. */
  const receiveUntil = (size: number): boolean => {
    while (received < size) {
      const buffer = incoming.of(size, received);
      const read = readSync(fd, buffer, received, buffer.length - received, null);
      if (read === 0) return false;
      received += read;
    }
    return true;
  };
  return {
    receive() {
      received = 0;
      if (!receiveUntil(WORD)) return undefined;
      const end = WORD + incoming.of(WORD, received).readUInt32BE(0);
      if (!receiveUntil(end)) return undefined;
      // Nothing follows: the runner sends the next job when it has this one's result.
      return decodeFrame(incoming.of(end, received).subarray(WORD, end));
    },
    send(parts) {
      const size = frameSize(parts);
      const buffer = outgoing.of(size, 0);
      writeFrame(buffer, parts);
      for (let sent = 0; sent < size;) sent += writeSync(fd, buffer, sent, size - sent);
    },
  };
}

/**
 * One buffer for all messages of a direction. A sandbox never comes back to its event loop, and memory outside of
 * V8's heap, which new buffers would take, is given back late without one.
 */
class Room {
  #buffer = Buffer.allocUnsafeSlow(LEAST);

  /** @param kept bytes at the start that must stay */
  of(size: number, kept: number): Buffer {
    if (size > this.#buffer.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(size, 2 * this.#buffer.length));
      this.#buffer.copy(larger, 0, 0, kept);
      this.#buffer = larger;
    }
    return this.#buffer;
  }
}
