import { expect, test } from 'vitest';
import { checkAnswer, consoleLines } from '../../runner/answer.ts';

const BODY = Buffer.from('body');
const HEAD = { status: 200, headers: ['A', '1'], binary: [], tooLarge: false, log: ['log', 'seen'] };

test('a good answer passes', () => {
  expect(checkAnswer(HEAD, BODY, 4)).toEqual({ status: 200, headers: [['A', '1']], body: BODY });
});

test.each([
  [{ status: 199 }, 'the status is "199", expected 200 to 599'],
  [{ status: 600 }, 'the status is "600", expected 200 to 599'],
  [{ status: null }, 'the status is "null", expected 200 to 599'],
  [{ status: 200.5 }, 'the status is "200.5", expected 200 to 599'],
  [{ status: { toString: null } }, 'the status is "an object", expected 200 to 599'],
  [{ status: '200' }, 'the status is "200", expected 200 to 599'],
  [{ headers: ['a b', '1'] }, '"a b" is not a header name (RFC 9110, 5.1)'],
  [{ headers: ['', '1'] }, '"" is not a header name (RFC 9110, 5.1)'],
  [{ headers: ['A:', '1'] }, '"A:" is not a header name (RFC 9110, 5.1)'],
  [{ headers: ['A', 'a\r\nB: 2'] }, 'the value of A, "a\\r\\nB: 2", is not a header value (RFC 9110, 5.5)'],
  [{ headers: ['A', '\u010a'] }, 'the value of A, "Ċ", is not a header value (RFC 9110, 5.5)'],
  [{ headers: Array.from({ length: 514 }, () => 'x') }, 'more than 256 headers were set'],
  [{ headers: ['A', 'x'.repeat(32_768)] }, 'the headers have 32769 bytes, at most 32768 can be sent'],
  [{ headers: [{ toString: 'A' }, '1'] }, 'more than 256 headers were set'],
  [{ tooLarge: true }, 'the body is over MAX_RESPONSE_BYTES'],
])('%o is an invalid_response', (change, message) => {
  const head = { ...HEAD, ...change };
  expect(() => checkAnswer(head, BODY, 4)).toThrow(
    expect.objectContaining({ code: 'invalid_response', message }),
  );
});

test('a body over the limit is an invalid_response', () => {
  expect(() => checkAnswer(HEAD, BODY, 3)).toThrow('the body has 4 bytes, at most 3 can be sent');
});

test.each([undefined, null, 5, 'text', []])('%o is an invalid_response', (head) => {
  expect(() => checkAnswer(head, BODY, 4)).toThrow(expect.objectContaining({ code: 'invalid_response' }));
});

test('the console is read, and what is none is ignored', () => {
  expect(consoleLines(HEAD)).toEqual([{ level: 'log', text: 'seen' }]);
  expect(consoleLines({ log: [1, 2] })).toEqual([]);
  expect(consoleLines(undefined)).toEqual([]);
});
