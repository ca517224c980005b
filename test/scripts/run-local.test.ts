import { expect, test } from 'vitest';
import { runLocally, type LocalRun, type Limits } from '../../scripts/sandbox/run-local.ts';

const REQUEST = {
  method: 'POST',
  url: '/a?b=1',
  headers: [['X-Name', 'Ada']] as const,
  body: Buffer.from([0xff, 0x00]),
};
const BLUEPRINT = { status: 201, headers: [['X-Kind', 'b']] as const, body: Buffer.from('{"n":3}') };

function run(source: string, limits?: Limits): Promise<LocalRun> {
  return runLocally({ request: REQUEST, blueprint: BLUEPRINT, script: Buffer.from(source) }, limits);
}

test('a script sees request and blueprint, and its answer is given back', async () => {
  const { answer, failure, console } = await run(`
    setStatus(readResponseStatusCode());
    setHeader('X-Name', readRequestMethod() + readRequestUrl() + readRequestHeader('x-name'));
    console.log('n', JSON.parse(readResponseBody()).n);
    setBody(readRequestBodyBytes());`);
  expect(failure).toBe(undefined);
  expect(answer).toEqual({ status: 201, headers: [['X-Name', 'POST/a?b=1Ada']], body: REQUEST.body });
  expect(console).toEqual([{ level: 'log', text: 'n 3' }]);
});

test.for([
  ['throws', 'console.log(1);\nnull.x', {}, 'script_error', /TypeError: .*\n.*index\.js:2:6/s],
  ['does not compile', 'let a = ;', {}, 'script_error', /SyntaxError/],
  ['makes no answer', 'setStatus(99)', {}, 'invalid_response', /99/],
  ['runs too long', 'for(;;){}', { SCRIPT_TIMEOUT_MS: 50 }, 'script_timeout', /50 ms/],
] as const)('a script that %s is told as a runner tells it', async ([, source, limits, code, message]) => {
  const { answer, failure } = await run(source, limits);
  expect(answer).toBe(undefined);
  expect(failure?.code).toBe(code);
  expect(failure?.message).toMatch(message);
});

test('a limit that is none is refused', async () => {
  await expect(run('', { SCRIPT_TIMEOUT_MS: 'soon' })).rejects.toThrow('SCRIPT_TIMEOUT_MS="soon"');
});
