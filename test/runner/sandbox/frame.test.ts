import { describe, expect, test } from 'vitest';
import { encodeFrame, FrameReader } from '../../../runner/sandbox/frame.ts';

const PARTS = [Buffer.from('{"a":1}'), Buffer.alloc(0), Buffer.from([0, 255, 10])];
const FRAME = encodeFrame(PARTS);

describe('a frame is whole again', () => {
  test.each(Array.from({ length: FRAME.length + 1 }, (_, i) => i))('when split at byte %i', (at) => {
    const reader = new FrameReader(1000);
    const frames = [...reader.push(FRAME.subarray(0, at)), ...reader.push(FRAME.subarray(at))];
    expect(frames).toEqual([PARTS]);
  });

  test('when it comes byte by byte', () => {
    const reader = new FrameReader(1000);
    expect([...FRAME].flatMap((byte) => reader.push(Buffer.from([byte])))).toEqual([PARTS]);
  });

  test('when several come at once', () => {
    const reader = new FrameReader(1000);
    const empty = encodeFrame([]);
    expect(reader.push(Buffer.concat([FRAME, empty, FRAME]))).toEqual([PARTS, [], PARTS]);
  });
});

test('a frame over the limit is refused before it has arrived', () => {
  const reader = new FrameReader(100);
  const head = Buffer.alloc(4);
  head.writeUInt32BE(101);
  expect(() => reader.push(head)).toThrow(RangeError);
});

test('parts that are longer than their frame are refused', () => {
  const lying = Buffer.from(FRAME);
  lying.writeUInt32BE(1000, 8);
  expect(() => new FrameReader(1000).push(lying)).toThrow(RangeError);
});
