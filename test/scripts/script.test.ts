import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HeadObjectCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadConfig } from '../../shared/config.ts';
import { createS3 } from '../../shared/s3.ts';
import { runCli } from '../helpers/cli.ts';
import { startTestS3, type TestS3 } from '../helpers/s3.ts';

let folder: string;
let storage: TestS3;
let s3: S3Client;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lc500-cli-'));
  storage = await startTestS3();
  s3 = createS3(loadConfig(storage.env));
});

afterAll(async () => {
  s3.destroy();
  await storage[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

function script(...args: string[]) {
  return runCli(['script', ...args], { env: storage.env, cwd: folder });
}

async function put(key: string, body = 'setBody("x")'): Promise<void> {
  await s3.send(new PutObjectCommand({ Bucket: storage.bucket, Key: key, Body: body }));
}

describe('script push', () => {
  test('stores the bytes as they are, and tells what it stored', async () => {
    const source = '\uFEFF// été\r\nsetBody("x")\n';
    await writeFile(join(folder, 'pushed.js'), source);
    const { code, stdout, stderr } = await script(
      'push',
      '--hostname',
      'pushed.example',
      '--file',
      'pushed.js',
    );
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain('pushed.example/index.js in bucket scripts at http://127.0.0.1:');
    expect(stdout).toContain(`${Buffer.byteLength(source)} bytes`);
    expect(stdout).toMatch(/^sha256 +[0-9a-f]{12}$/m);
    const object = { Bucket: storage.bucket, Key: 'pushed.example/index.js' };
    const head = await s3.send(new HeadObjectCommand(object));
    expect(head.ContentType).toBe('text/javascript');
    expect(stdout).toContain(head.ETag?.replaceAll('"', ''));
    expect((await script('get', '--hostname', 'pushed.example')).stdout).toBe(source);
  });

  test('stores under the normalised hostname, and says so', async () => {
    await writeFile(join(folder, 'idna.js'), 'setBody("x")');
    const { code, stdout } = await script('push', '--hostname', 'BÜCHER.Example.', '--file', 'idna.js');
    expect(code).toBe(0);
    expect(stdout).toContain('xn--bcher-kva.example (given as BÜCHER.Example.)');
    expect(stdout).toContain('xn--bcher-kva.example/index.js');
  });

  test('reads standard input for -', async () => {
    const args = ['script', 'push', '--hostname', 'stdin.example', '--file', '-'];
    expect((await runCli(args, { env: storage.env, input: 'setBody("in")' })).code).toBe(0);
    expect((await script('get', '--hostname', 'stdin.example')).stdout).toBe('setBody("in")');
  });

  test.for([
    ['a missing file', 'missing.js', undefined, 'lc500: missing.js: there is no such file\n'],
    ['a folder', '.', undefined, 'lc500: .: this is a folder, not a file\n'],
    ['an empty script', 'empty.js', ' \n', 'lc500: empty.js: the script is empty\n'],
    [
      'a script that does not compile',
      'broken.js',
      'ok();\nlet = = 1;\n',
      "lc500: broken.js:2:7: SyntaxError: Unexpected token '='\n  let = = 1;\n        ^\n",
    ],
  ] as const)('refuses %s', async ([, file, source, message]) => {
    if (source !== undefined) await writeFile(join(folder, file), source);
    const { code, stdout, stderr } = await script('push', '--hostname', 'refused.example', '--file', file);
    expect({ code, stdout, stderr }).toEqual({ code: 1, stdout: '', stderr: message });
    expect((await script('get', '--hostname', 'refused.example')).code).toBe(1);
  });

  test('stops reading what is too large', async () => {
    const args = ['script', 'push', '--hostname', 'large.example', '--file', '/dev/zero'];
    const { code, stderr } = await runCli(args, { env: storage.env });
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: 'lc500: /dev/zero: the script is over the limit of 1 MiB (1,048,576 bytes)\n',
    });
  });
});

describe('script list', () => {
  test('shows every script, and nothing else', async () => {
    await using own = await startTestS3();
    const others = [
      'UPPER.example/index.js',
      'b.example/blueprint.json',
      'a/b/index.js',
      'index.js',
      'x/index.js.map',
    ];
    using client = disposable(createS3(loadConfig(own.env)));
    for (const Key of ['b.example/index.js', 'a.example/index.js', ...others]) {
      await client.s3.send(new PutObjectCommand({ Bucket: own.bucket, Key, Body: 'x()' }));
    }
    const { code, stdout } = await runCli(['script', 'list', '--json'], { env: own.env });
    expect(code).toBe(0);
    const listed = JSON.parse(stdout) as Record<string, unknown>[];
    expect(listed.map(({ hostname }) => hostname)).toEqual(['a.example', 'b.example']);
    expect(listed[0]).toEqual({
      hostname: 'a.example',
      key: 'a.example/index.js',
      size: 3,
      lastModified: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/) as string,
      etag: expect.stringMatching(/^[0-9a-f]{32}$/) as string,
    });
  });

  test('of an empty bucket is an empty table, and an empty array', async () => {
    await using own = await startTestS3();
    expect(await runCli(['script', 'list'], { env: own.env })).toMatchObject({ code: 0, stdout: '' });
    expect(await runCli(['script', 'list', '--json'], { env: own.env })).toMatchObject({
      code: 0,
      stdout: '[]\n',
    });
  });

  // The S3 server of the other tests fails when a list has more than one page.
  test('follows the pages', async () => {
    const server = createServer((request, response) => {
      const token = new URL(request.url ?? '', 'http://x').searchParams.get('continuation-token');
      response
        .setHeader('Content-Type', 'application/xml')
        .end(token === 'page 2&' ? pageOf('b') : pageOf('a', 'page 2&'));
    });
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const env = { ...storage.env, AWS_ENDPOINT: `http://127.0.0.1:${port}` };
    const { stdout } = await runCli(['script', 'list', '--json'], { env });
    server.close();
    expect((JSON.parse(stdout) as { key: string }[]).map(({ key }) => key)).toEqual([
      'a.example/index.js',
      'b.example/index.js',
    ]);
  });

  test('is a table for people', async () => {
    await put('table.example/index.js', 'x'.repeat(12_345));
    const { stdout } = await script('list');
    expect(stdout).toMatch(/^HOSTNAME +SIZE +LAST MODIFIED +ETAG\n/);
    expect(stdout).toMatch(/^table\.example +12345 +\d{4}-\S+Z +[0-9a-f]{32}$/m);
  });
});

describe('script get and remove', () => {
  test('get writes a file', async () => {
    await put('file.example/index.js', 'setBody("file")');
    const { code, stdout } = await script('get', '--hostname', 'FILE.example', '--output', 'got.js');
    expect({ code, stdout }).toEqual({ code: 0, stdout: '' });
    expect(await readFile(join(folder, 'got.js'), 'utf8')).toBe('setBody("file")');
  });

  test('get tells what it cannot write', async () => {
    await put('unwritable.example/index.js');
    const { code, stderr } = await script(
      'get',
      '--hostname',
      'unwritable.example',
      '--output',
      'no/such/folder',
    );
    expect(code).toBe(1);
    expect(stderr).toMatch(/^lc500: cannot write no\/such\/folder: ENOENT.*\n$/);
  });

  test('remove removes', async () => {
    await put('gone.example/index.js');
    expect((await script('remove', '--hostname', 'gone.example')).stdout).toMatch(
      /^removed gone\.example\/index\.js/,
    );
    expect((await script('get', '--hostname', 'gone.example')).code).toBe(1);
  });

  test.for(['get', 'remove'])('%s of a script that is not there fails', async (command) => {
    const { code, stdout, stderr } = await script(command, '--hostname', 'nobody.example');
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/^lc500: bucket scripts at \S+: there is no script for nobody\.example \(.*\)\n$/);
  });
});

function disposable(client: S3Client): Disposable & { s3: S3Client } {
  return { s3: client, [Symbol.dispose]: () => client.destroy() };
}

function pageOf(name: string, next?: string): string {
  const token = next && `<NextContinuationToken>${next.replace('&', '&amp;')}</NextContinuationToken>`;
  return (
    `<?xml version="1.0"?><ListBucketResult><IsTruncated>${next !== undefined}</IsTruncated>${token ?? ''}` +
    `<Contents><Key>${name}.example/index.js</Key><Size>3</Size><ETag>"e"</ETag></Contents></ListBucketResult>`
  );
}
