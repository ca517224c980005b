import { spawnSync } from 'node:child_process';
import { createServer } from 'node:http';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { curlCommand, type RepeatedRequest } from '../../scripts/cli/curl-command.ts';
import { singleQuoted, shellWord } from '../../scripts/cli/shell.ts';
import { endToEnd, toPairs } from '../../shared/headers.ts';
import { hasCurl, runShell } from '../helpers/shell.ts';

const ALL_LATIN1 = Array.from({ length: 255 }, (_, i) => String.fromCharCode(i + 1)).join('');

test.for([
  'plain/word.txt',
  '',
  "it's",
  '$HOME `id` $(id) "x" \\ ! * ? [a] {b,c} ~ # & ; | < >',
  '-n',
  '-caf\xe9',
  '%s \\n \xe9!',
  'two\nlines\t',
  '\x1b[2J\x07',
  ALL_LATIN1.replaceAll('\n', ''),
])('a shell reads the word back byte for byte: %j', async (text) => {
  for (const shell of ['sh', 'bash']) {
    if (spawnSync(shell, ['-c', 'true']).status !== 0) continue;
    const { stdout } = await runShell(`printf %s ${shellWord(text)}`, { shell });
    expect(stdout.toString('latin1')).toBe(text);
  }
  expect(shellWord(text)).toMatch(/^[\t\n\x20-\x7e]+$/);
});

test('text in quotes stays text', async () => {
  const text = "a'b$c`d`\n日本 \u{1f600}!";
  const { stdout } = await runShell(`printf %s ${singleQuoted(text)}`);
  expect(stdout.toString()).toBe(text);
});

const HEADERS = [
  ['Host', 'my.localhost'],
  ['X-Quote', `it's "$HOME" \`id\``],
  ['X-Latin', 'caf\xe9!%s'],
  ['X-Empty', ''],
  ['X-Twice', '1'],
  ['x-twice', '2'],
] as const;

test.skipIf(!hasCurl).for([
  ['GET', '/', ''],
  ['GET', "/a/../b?x='1'&y=[2]{3}$(id)", ''],
  ['HEAD', '/', ''],
  ['OPTIONS', '*', ''],
  ['DELETE', '/x', ''],
  ['POST', '/', 'text'],
  ['POST', '/', '@/etc/hostname'],
  ['PATCH', '/', "it's\ntwo lines\n\n"],
  ['POST', '/', Buffer.from('été 日本 \u{1f600}')],
  ['PUT', '/', Buffer.from(Array.from({ length: 256 }, (_, i) => i))],
  ['PUT', '/', Buffer.alloc(300_000, 'x')],
  ['PUT', '/', Buffer.from('\x1b[2Jescape')],
  ['GET', '/', 'with a body'],
] as const)('curl repeats %s %s', async ([method, url, body], { onTestFinished }) => {
  const request: RepeatedRequest = { method, url, headers: HEADERS, body: Buffer.from(body) };
  const server = await startEcho();
  onTestFinished(() => server.close());
  const command = curlCommand(request, server.origin);
  const result = await runShell(command);
  expect(result.stderr.toString()).not.toMatch(/curl: /);
  expect(server.received).toEqual({ method, url, headers: HEADERS, body: request.body.toString('latin1') });
});

test.skipIf(!hasCurl)('the body can be in a file', async ({ onTestFinished }) => {
  const folder = await mkdtemp(join(tmpdir(), 'lc500 curl-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const file = join(folder, "it's.bin");
  const body = Buffer.from([0, 1, 255]);
  await writeFile(file, body);
  const server = await startEcho();
  onTestFinished(() => server.close());
  await runShell(curlCommand({ method: 'POST', url: '/', headers: HEADERS, body }, server.origin, file));
  expect(server.received).toMatchObject({ method: 'POST', body: body.toString('latin1') });
});

test('what framed the original is not repeated', () => {
  const headers = [
    ['Host', 'a'],
    ['Content-Length', '4'],
    ['Transfer-Encoding', 'chunked'],
    ['Connection', 'close, X-Hop'],
    ['X-Hop', '1'],
  ] as const;
  const command = curlCommand({ method: 'GET', url: '/', headers, body: Buffer.alloc(0) }, 'http://h');
  expect(command.match(/--header .*(?= \\$)/gm)).toEqual([
    "--header 'Host: a'",
    '--header Accept:',
    '--header User-Agent:',
  ]);
});

interface Echo {
  readonly origin: string;
  received: unknown;
  close(): void;
}

/** Takes requests and keeps the last, without what frames it. */
async function startEcho(): Promise<Echo> {
  const echo: Echo = { origin: '', received: undefined, close: () => undefined };
  const server = createServer((request, response) => {
    void buffer(request).then((body) => {
      const headers = endToEnd(toPairs(request.rawHeaders));
      echo.received = { method: request.method, url: request.url, headers, body: body.toString('latin1') };
      response.end();
    });
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return Object.assign(echo, {
    origin: `http://127.0.0.1:${port}`,
    close() {
      server.close();
      server.closeAllConnections();
    },
  });
}
