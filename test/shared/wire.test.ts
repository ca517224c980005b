import { expect, test } from 'vitest';
import { ZodError } from 'zod';
import { endToEnd } from '../../shared/headers.ts';
import {
  decodeInvocation,
  encodeInvocation,
  replyIdOf,
  requestIdOf,
  type Invocation,
} from '../../shared/invocation.ts';
import { decodeReply, encodeReply, type Reply } from '../../shared/reply.ts';

const INVOCATION: Invocation = {
  id: 'id',
  hostname: 'a.example',
  request: {
    method: 'POST',
    url: '/a?b',
    headers: [
      ['X', '1'],
      ['x', '2'],
    ],
    body: Buffer.from('grüße'),
  },
  scriptKey: 'a.example/index.js',
  blueprintKey: null,
  deadline: 1,
  replyTo: 'stream',
};
const TIMINGS = { prepare: 1, isolate: 2, script: 3, total: 4 };

test.each([
  ['text', 'grüße "✓"\n'],
  ['nothing', ''],
  ['bytes', Buffer.from([0, 255, 128])],
])('an invocation with %s in its body survives the queue', (_what, body) => {
  const sent = { ...INVOCATION, request: { ...INVOCATION.request, body: Buffer.from(body as string) } };
  expect(decodeInvocation(JSON.parse(JSON.stringify(encodeInvocation(sent))))).toEqual(sent);
});

test('an invocation that carries the record of an Idempotency-Key survives the queue', () => {
  const sent = { ...INVOCATION, idempotencyRecord: 'record' };
  expect(decodeInvocation(JSON.parse(JSON.stringify(encodeInvocation(sent))))).toEqual(sent);
});

test('an invocation with a secret survives the queue, and its reply is known by both', () => {
  const sent = { ...INVOCATION, secret: 'hush' };
  const received = decodeInvocation(JSON.parse(JSON.stringify(encodeInvocation(sent))));
  expect(received).toEqual(sent);
  expect(replyIdOf(received)).toBe('id.hush');
  expect(requestIdOf(replyIdOf(received))).toBe('id');
});

test('text travels as itself', () => {
  expect(encodeInvocation(INVOCATION).body).toEqual({ encoding: 'utf8', data: 'grüße' });
});

test.each([
  ['nothing', null],
  ['another version', { ...encodeInvocation(INVOCATION), v: 3 }],
  ['a replay of nothing', { ...encodeInvocation(INVOCATION), v: 2 }],
  ['no id', { ...encodeInvocation(INVOCATION), id: undefined }],
  ['a header that is none', { ...encodeInvocation(INVOCATION), headers: [['A']] }],
  ['an unknown encoding', { ...encodeInvocation(INVOCATION), body: { encoding: 'hex', data: '' } }],
  ['a deadline that is none', { ...encodeInvocation(INVOCATION), deadline: null }],
])('%s is not an invocation', (_what, data) => {
  expect(() => decodeInvocation(data)).toThrow(ZodError);
});

test.each<Reply['outcome']>([
  {
    kind: 'response',
    response: {
      status: 200,
      headers: [
        ['A', '1'],
        ['a', '2'],
      ],
      body: Buffer.from([0, 255]),
    },
  },
  { kind: 'failure', code: 'script_error' },
])('a reply survives its stream: %o', (outcome) => {
  const reply: Reply = { id: 'id', outcome, timings: TIMINGS };
  const { head, body } = encodeReply(reply);
  expect(decodeReply(head, body)).toEqual(reply);
});

test('a reply says how stale its script was', () => {
  const timings = { ...TIMINGS, staleScript: 12.5 };
  const { head, body } = encodeReply({
    id: 'id',
    outcome: { kind: 'failure', code: 'script_error' },
    timings,
  });
  expect(decodeReply(head, body).timings).toEqual(timings);
});

test.each([
  '',
  '{',
  'null',
  '{"v":2,"kind":"failure","id":"id","code":"script_error"}',
  JSON.stringify({ v: 1, kind: 'failure', id: 'id', code: 'no such code', timings: TIMINGS }),
  JSON.stringify({ v: 1, kind: 'response', id: 'id', status: 100, headers: [], timings: TIMINGS }),
  JSON.stringify({ v: 1, kind: 'response', id: 'id', status: 200, headers: [['A']], timings: TIMINGS }),
])('%s is not a reply', (head) => {
  expect(() => decodeReply(head, Buffer.alloc(0))).toThrow(/JSON|"code":/);
});

test('only what is meant for the other end travels on', () => {
  const pairs = [
    ['Host', 'a'],
    ['Connection', 'close, X-Hop'],
    ['x-hop', '1'],
    ['Transfer-Encoding', 'chunked'],
    ['X-Kept', '1'],
    ['content-length', '3'],
  ] as const;
  expect(endToEnd(pairs)).toEqual([
    ['Host', 'a'],
    ['X-Kept', '1'],
  ]);
});
