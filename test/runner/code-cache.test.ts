import { pino } from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { CodeCache, WORTH_IT_BYTES } from '../../runner/code-cache.ts';
import { detectLauncher } from '../../runner/launcher/detect.ts';
import type { Launcher } from '../../runner/launcher/launcher.ts';
import { SandboxProcess } from '../../runner/sandbox-process.ts';
import { encodeJob } from '../../runner/sandbox/protocol.ts';
import { waitFor } from '../helpers/wait.ts';

const LIMITS = { scriptMemoryMb: 64, residentLimit: 2 ** 28, frameLimit: 2 ** 24 };
const INPUT = JSON.stringify({
  request: { method: 'GET', url: '/', headers: [] },
  blueprint: { status: 200, headers: [] },
  maxResponse: 1000,
});
const log = pino({ level: 'silent' });
let launcher: Launcher;
let cache: CodeCache;

beforeAll(async () => {
  ({ launcher } = await detectLauncher('auto', 61_184));
  cache = new CodeCache(launcher, LIMITS, log);
});
afterAll(() => cache.close());

function bigScript(end: string): Buffer {
  const functions = Array.from(
    { length: 400 },
    (_, i) => `function part${i}(a) { return [a, 'part${i}'].join(); }`,
  );
  const source = `${functions.join('\n')}\n${end}`;
  expect(source.length).toBeGreaterThan(WORTH_IT_BYTES);
  return Buffer.from(source);
}

async function codeOf(script: Buffer): Promise<Buffer> {
  let code: Buffer | undefined;
  await waitFor('the code', () => (code = cache.of(script)) !== undefined);
  return code as Buffer;
}

async function run(script: Buffer, code: Buffer) {
  const sandbox = new SandboxProcess(launcher, LIMITS, log);
  await sandbox.ready;
  const bodies = { requestBody: Buffer.alloc(0), blueprintBody: Buffer.alloc(0) };
  const outcome = await sandbox.run(
    encodeJob({ input: INPUT, script, code, ...bodies, timeoutMs: 5000 }),
    5000,
  );
  sandbox.kill('closing');
  await sandbox.ended;
  return outcome;
}

test('a script is compiled when it has been run twice, and its code is taken by other sandboxes', async () => {
  const script = bigScript("setBody(part7('x'));");
  expect(cache.of(script)).toBeUndefined();
  const code = await codeOf(script);
  const outcome = await run(script, code);
  expect(outcome).toMatchObject({ kind: 'answer' });
  expect(String((outcome as { body: Buffer }).body)).toBe('x,part7');
});

test('code of another script, or none at all, changes nothing of what a script does', async () => {
  const code = await codeOf(bigScript("setBody('one');"));
  const other = bigScript("setBody('another');");
  for (const useless of [code, Buffer.from('nonsense'), Buffer.alloc(0)]) {
    const outcome = await run(other, useless);
    expect(String((outcome as { body: Buffer }).body)).toBe('another');
  }
});

test('a small script, and one that does not compile, have none', async () => {
  const small = Buffer.from("setBody('small')");
  const wrong = bigScript('this is not JavaScript');
  for (let i = 0; i < 5; i++) {
    expect(cache.of(small)).toBeUndefined();
    expect(cache.of(wrong)).toBeUndefined();
  }
  // Compilations come one after another: when this one is done, that one has failed.
  await codeOf(bigScript("setBody('next');"));
  expect(cache.of(wrong)).toBeUndefined();
});

test('nothing is left of a compilation when the cache is closed', async () => {
  const closing = new CodeCache(launcher, LIMITS, log);
  const script = bigScript("setBody('late');");
  closing.of(script);
  closing.of(script);
  await closing.close();
  expect(closing.of(script)).toBeUndefined();
});
