/**
 * The messages between a runner and its sandbox: a frame is a few parts of bytes, sent whole.
 *
 *     u32 size of what follows | u32 number of parts | u32 length of each part … | the parts
 *
 * All numbers are big-endian.
 */
const WORD = 4;

/** Parts of a frame as one run of bytes, so that it goes out with one system call. */
export function encodeFrame(parts: readonly Buffer[]): Buffer {
  const frame = Buffer.allocUnsafe(frameSize(parts));
  writeFrame(frame, parts);
  return frame;
}

/** Bytes of a frame with its leading size. */
export function frameSize(parts: readonly Buffer[]): number {
  return parts.reduce((sum, part) => sum + part.length, WORD * (2 + parts.length));
}

/** @param target has room for `frameSize` bytes, from its start */
export function writeFrame(target: Buffer, parts: readonly Buffer[]): void {
  target.writeUInt32BE(frameSize(parts) - WORD, 0);
  target.writeUInt32BE(parts.length, WORD);
  let offset = WORD * (2 + parts.length);
  for (const [i, part] of parts.entries()) {
    target.writeUInt32BE(part.length, WORD * (2 + i));
    offset += part.copy(target, offset);
  }
}

/** The parts of a frame whose leading size was taken off. @throws RangeError when the lengths do not add up */
export function decodeFrame(frame: Buffer): Buffer[] {
  const count = frame.readUInt32BE(0);
  const parts: Buffer[] = [];
  let offset = WORD * (1 + count);
  for (let i = 0; i < count; i++) {
    const end = offset + frame.readUInt32BE(WORD * (1 + i));
    if (end > frame.length) throw new RangeError('a frame is shorter than its parts');
    parts.push(frame.subarray(offset, end));
    offset = end;
  }
  return parts;
}

/** Puts the pieces that a stream delivers together again into frames. */
export class FrameReader {
  #chunks: Buffer[] = [];
  #size = 0;
  readonly #limit: number;

  /** @param limit bytes of the largest frame that is accepted */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Takes a piece and returns the frames that are now whole. @throws RangeError over the limit */
  push(chunk: Buffer): Buffer[][] {
    this.#chunks.push(chunk);
    this.#size += chunk.length;
    const frames: Buffer[][] = [];
    for (let frame = this.#next(); frame; frame = this.#next()) frames.push(decodeFrame(frame));
    return frames;
  }

  #next(): Buffer | undefined {
    if (this.#size < WORD) return undefined;
    if ((this.#chunks[0]?.length ?? 0) < WORD) this.#chunks = [Buffer.concat(this.#chunks)];
    const size = (this.#chunks[0] as Buffer).readUInt32BE(0);
    if (size > this.#limit)
      throw new RangeError(`a frame of ${size} bytes is over the limit of ${this.#limit}`);
    if (this.#size < WORD + size) return undefined;
    const all = this.#chunks.length === 1 ? (this.#chunks[0] as Buffer) : Buffer.concat(this.#chunks);
    const rest = all.subarray(WORD + size);
    this.#chunks = rest.length > 0 ? [rest] : [];
    this.#size = rest.length;
    return all.subarray(WORD, WORD + size);
  }
}
