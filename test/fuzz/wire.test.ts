import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { ZodError } from 'zod';
import { decodeInvocation, encodeInvocation, type Invocation } from '../../shared/invocation.ts';
import { decodeReply, encodeReply, type Reply } from '../../shared/reply.ts';
import { anyJson, damaged, fuzz, thrownBy } from '../helpers/fuzz.ts';

const bytes = fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array));
const pairs = fc.array(fc.tuple(fc.string(), fc.string()), { maxLength: 5 });
const text = fc.string({ minLength: 1, maxLength: 50 });

/** Ids are of nanoid's alphabet; all that matters here is that the full stop is not in it. */
const idText = fc.string({ minLength: 1, maxLength: 30 }).filter((id) => !id.includes('.'));

const required = {
  id: idText,
  hostname: text,
  request: fc.record({ method: text, url: text, headers: pairs, body: bytes }),
  scriptKey: text,
  blueprintKey: fc.option(text),
  deadline: fc.nat(),
  replyTo: text,
};
const invocations: fc.Arbitrary<Invocation> = fc.oneof(
  fc.record(required),
  fc.record({ ...required, secret: idText }),
);

const ms = fc.nat();
const timings = fc.record({ prepare: ms, isolate: ms, script: ms, total: ms });
const response = fc.record({ status: fc.integer({ min: 200, max: 599 }), headers: pairs, body: bytes });
const replies: fc.Arbitrary<Reply> = fc.record({
  id: text,
  outcome: fc.oneof(
    response.map((answer) => ({ kind: 'response' as const, response: answer })),
    fc.constantFrom('script_error', 'bad_host').map((code) => ({ kind: 'failure' as const, code })),
  ),
  timings,
});

const throughJson = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

test('every invocation survives the queue', () => {
  fuzz(invocations, (invocation) => {
    expect(decodeInvocation(throughJson(encodeInvocation(invocation)))).toEqual(invocation);
  });
});

test('every reply survives its stream', () => {
  fuzz(replies, (reply) => {
    const { head, body } = encodeReply(reply);
    expect(decodeReply(head, body)).toEqual(reply);
  });
});

test('job data that an intruder wrote is an invocation or is refused', () => {
  const data = fc.oneof(
    anyJson,
    invocations.chain((invocation) => damaged(encodeInvocation(invocation))),
  );
  fuzz(data, (given) => {
    const error = thrownBy(() => encodeInvocation(decodeInvocation(given)));
    if (error !== undefined) expect(error).toBeInstanceOf(ZodError);
  });
});

test('a reply that an intruder wrote is a reply or is refused', () => {
  const heads = replies.chain((reply) => damaged(JSON.parse(encodeReply(reply).head) as object));
  const given = fc.oneof(
    fc.string(),
    anyJson.map((value) => JSON.stringify(value)),
    heads.map((head) => JSON.stringify(head)),
  );
  fuzz(given, (head) => {
    const error = thrownBy(() => encodeReply(decodeReply(head, Buffer.alloc(0))));
    if (error !== undefined) expect(error instanceof ZodError || error instanceof SyntaxError).toBe(true);
  });
});
