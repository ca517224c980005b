import { validateHeaderName, validateHeaderValue } from 'node:http';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { checkAnswer, consoleLines } from '../../runner/answer.ts';
import { decodeFrame, encodeFrame, FrameReader } from '../../runner/sandbox/frame.ts';
import { decodeResult } from '../../runner/sandbox/protocol.ts';
import { anyJson, damaged, fuzz, thrownBy } from '../helpers/fuzz.ts';

const LIMIT = 4096;
const bytes = fc.uint8Array({ maxLength: 100 }).map((array) => Buffer.from(array));
const parts = fc.array(bytes, { maxLength: 6 });

/** A buffer in pieces, cut at any places. */
function pieces(buffer: Buffer, cuts: readonly number[]): Buffer[] {
  const places = [0, ...cuts.map((cut) => cut % (buffer.length + 1)), buffer.length].sort((a, b) => a - b);
  return places.slice(1).map((end, i) => buffer.subarray(places[i], end));
}

test('frames are whole again, however the stream is cut', () => {
  fuzz(fc.tuple(fc.array(parts, { maxLength: 5 }), fc.array(fc.nat())), ([frames, cuts]) => {
    const reader = new FrameReader(LIMIT);
    const stream = Buffer.concat(frames.map(encodeFrame));
    expect(pieces(stream, cuts).flatMap((piece) => reader.push(piece))).toEqual(frames);
  });
});

test('bytes that are no frame are refused as such', () => {
  const small = fc.array(fc.integer({ min: 0, max: 300 }), { maxLength: 8 }).map((words) => {
    const buffer = Buffer.alloc(4 * words.length);
    words.forEach((word, i) => buffer.writeUInt32BE(word, 4 * i));
    return buffer;
  });
  fuzz(fc.tuple(fc.oneof(bytes, small), fc.array(fc.nat())), ([stream, cuts]) => {
    const reader = new FrameReader(LIMIT);
    const errors = [
      thrownBy(() => pieces(stream, cuts).forEach((piece) => reader.push(piece))),
      thrownBy(() => decodeFrame(stream)),
    ];
    for (const error of errors) if (error !== undefined) expect(error).toBeInstanceOf(RangeError);
  });
});

const HEAD = { status: 200, headers: ['A', '1'], binary: [], tooLarge: false, log: ['log', 'seen'] };
const headerText = fc.string({
  unit: fc.constantFrom(...Array.from('aA0-: \t\r\n\u0000\u007f\u0080ÿĊ"(),/')),
});
const heads = fc.oneof(
  anyJson,
  damaged(HEAD),
  fc.record({
    status: fc.oneof(fc.integer(), fc.double(), anyJson),
    headers: fc.array(headerText, { maxLength: 8 }),
    tooLarge: fc.constant(false),
  }),
);

test('an answer that passes the check can be sent, and any other is an invalid_response', () => {
  fuzz(fc.tuple(heads, bytes), ([head, body]) => {
    const error = thrownBy(() => {
      const { status, headers } = checkAnswer(head, body, 50);
      if (status < 200 || status > 599 || body.length > 50) throw new Error('passed');
      for (const [name, value] of headers) {
        validateHeaderName(name);
        validateHeaderValue(name, value);
      }
    });
    if (error !== undefined) expect(error).toMatchObject({ code: 'invalid_response' });
    expect(consoleLines(head).every(({ level, text }) => typeof level + typeof text === 'stringstring')).toBe(
      true,
    );
  });
});

const VERDICT = { kind: 'error', isolateMs: 1, scriptMs: 2, error: { name: 'a', message: 'b', stack: 'c' } };

test("a sandbox's account of a run is one of those that there are, or is refused", () => {
  const verdicts = fc.oneof(
    anyJson,
    damaged(VERDICT),
    damaged({ kind: 'answer', isolateMs: 1, scriptMs: 2 }),
  );
  fuzz(fc.tuple(verdicts, parts), ([verdict, rest]) => {
    let result: ReturnType<typeof decodeResult>;
    try {
      result = decodeResult([Buffer.from(JSON.stringify(verdict)), ...rest]);
    } catch (error) {
      expect(error).toBeInstanceOf(SyntaxError);
      return;
    }
    expect(['answer', 'timeout', 'memory', 'oversized', 'error']).toContain(result.kind);
    expect(Number.isFinite(result.isolateMs + result.scriptMs)).toBe(true);
    expect(typeof result.head).toBe('string');
    if (result.kind === 'error')
      expect(Object.values(result.error).map((text) => typeof text)).toEqual(['string', 'string', 'string']);
  });
});
