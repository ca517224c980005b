import { once } from 'node:events';
import { createServer, validateHeaderName, validateHeaderValue } from 'node:http';
import type { AddressInfo } from 'node:net';
import * as fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { sendResponse } from '../../gateway/response.ts';
import { parseBlueprint } from '../../runner/blueprint-bucket.ts';
import { endToEnd, isHeaderName, isHeaderValue, toPairs, type HeaderPair } from '../../shared/headers.ts';
import type { ScriptResponse } from '../../shared/reply.ts';
import { anyJson, damaged, fuzz, fuzzSlowly, thrownBy } from '../helpers/fuzz.ts';
import { sendRequest } from '../helpers/http.ts';

const FRAMING = [
  'Connection',
  'Content-Length',
  'Transfer-Encoding',
  'Trailer',
  'Upgrade',
  'TE',
  'Keep-Alive',
];
const OWN = ['X-Request-Id', 'Server-Timing'];
const name = fc.oneof(
  fc.constantFrom(...FRAMING, ...OWN, 'Set-Cookie', 'Date', '__proto__', 'constructor'),
  fc.string({ minLength: 1, unit: fc.constantFrom(...Array.from("aZ0-_!#$%&*+.^`|~'")) }),
);
const value = fc.oneof(
  fc.constantFrom('close, X-A', 'chunked', '0', '-1', '99999'),
  fc.string({ unit: fc.constantFrom(...Array.from('aZ09 ,;=\t"\\/ÿ\u0080')) }).map((text) => text.trim()),
);
const pairs = fc.array(fc.tuple(name, value), { maxLength: 8 });

test('what Node would not send is no header', () => {
  fuzz(fc.string({ unit: 'binary' }), (text) => {
    if (isHeaderName(text)) expect(thrownBy(() => validateHeaderName(text))).toBeUndefined();
    if (isHeaderValue(text)) expect(thrownBy(() => validateHeaderValue('A', text))).toBeUndefined();
  });
});

test('nothing of the framing travels on, nothing is invented, and once is enough', () => {
  fuzz(pairs, (given) => {
    const kept = endToEnd(given);
    expect(given).toEqual(expect.arrayContaining(kept));
    expect(
      kept.filter(([field]) => FRAMING.some((other) => other.toLowerCase() === field.toLowerCase())),
    ).toEqual([]);
    expect(endToEnd(kept)).toEqual(kept);
    expect(toPairs(given.flat())).toEqual(given);
  });
});

test('a blueprint is one that a script can be given, or is refused as no JSON', () => {
  const shaped = damaged({ status: 200, headers: [['A', '1']], body: 'text' });
  const texts = fc.oneof(
    fc.string(),
    fc.oneof(anyJson, shaped).map((json) => JSON.stringify(json)),
  );
  fuzz(texts, (text) => {
    const error = thrownBy(() => {
      const { status, headers, body } = parseBlueprint(text);
      if (!Number.isInteger(status) || status < 100 || status > 599 || !Buffer.isBuffer(body))
        throw new Error('bad');
      for (const [field, content] of headers)
        if (!isHeaderName(field) || !isHeaderValue(content)) throw new Error(field);
    });
    if (error !== undefined) expect(error).toBeInstanceOf(SyntaxError);
  });
});

let response: ScriptResponse;
const server = createServer((_req, res) => sendResponse(res, response, [['X-Request-Id', 'own']]));
beforeAll(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterAll(() => void server.close());

test('every answer that a script may give arrives whole, with the framing of the gateway', async () => {
  const responses = fc.record({
    status: fc.integer({ min: 200, max: 599 }),
    headers: pairs,
    body: fc.uint8Array().map((array) => Buffer.from(array)),
  });
  const { port } = server.address() as AddressInfo;
  await fuzzSlowly(responses, async (given) => {
    response = given;
    const answer = await sendRequest(port, { hostname: 'a.example' });
    const hasBody = ![204, 205, 304].includes(given.status);
    expect(answer.status).toBe(given.status);
    expect(answer.body).toEqual(hasBody ? given.body : Buffer.alloc(0));
    const own = new Set(
      [...OWN, 'Date', 'Connection', 'Keep-Alive', 'Content-Length', 'Transfer-Encoding'].map((field) =>
        field.toLowerCase(),
      ),
    );
    const scripts = (list: readonly HeaderPair[]) => list.filter(([field]) => !own.has(field.toLowerCase()));
    expect(scripts(answer.headers)).toEqual(scripts(endToEnd(given.headers)));
    expect(answer.headers.filter(([field]) => field === 'X-Request-Id')).toEqual([['X-Request-Id', 'own']]);
  });
});
