import { spawn } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startOperatedSystem, type OperatedSystem } from '../helpers/operator.ts';
import { hasCurl, runShell } from '../helpers/shell.ts';

const BROKEN = `function nameOf(page) {
  return page.item.name;
}
console.log('for', readRequestUrl());
setBody(nameOf(JSON.parse(readResponseBody())));
`;
const BODY = Buffer.from([0x00, 0xff, 0x27, 0x0a]);

let operated: OperatedSystem;
beforeAll(async () => {
  operated = await startOperatedSystem();
  await operated.system.deploy('shop.localhost', BROKEN);
  await operated.system.putObject('shop.localhost/blueprint.json', '{"item":null}');
});
afterAll(() => operated[Symbol.asyncDispose]());

test(
  'what failed is listed, shown with the place of its error, and deleted',
  { timeout: 60_000 },
  async () => {
    const { lc500, failed } = operated;
    const id = await failed('shop.localhost', { path: '/tea?x=1' });
    await failed('shop.localhost', { path: '/other' });
    const list = await lc500('invocations list --hostname shop.localhost --code script_error --since 2h');
    expect(list).toMatchObject({ code: 0, stderr: '' });
    expect(list.stdout).toMatch(/^ID +ACCEPTED +TENANT +OUTCOME/);
    expect(list.stdout).toMatch(
      new RegExp(`^${id} +\\S+Z +shop\\.localhost +script_error +500 +GET /tea\\?x=1 `, 'm'),
    );
    expect((await lc500('invocations list --until 2h')).stderr).toBe('no kept invocation is like that\n');
    const one = await lc500('invocations list --limit 1 --json');
    expect(JSON.parse(one.stdout)).toMatchObject([{ url: '/other', tenant: 'shop.localhost' }]);
    expect(one.stderr).toContain('there are more');

    const shown = await lc500(`invocations show ${id}`);
    expect(shown.stdout).toContain(
      [
        "  TypeError: Cannot read properties of null (reading 'name')",
        '  at nameOf (index.js:2:20)',
        '      return page.item.name;',
        '                       ^',
        '  at index.js:5:9',
      ].join('\n'),
    );
    expect(shown.stdout).toContain('  {"item":null}\n');
    expect(shown.stdout).toMatch(/console\n {2}log: for \/tea\?x=1\n$/);
    const record = JSON.parse((await lc500(`invocations show ${id} --json`)).stdout) as { frames: object[] };
    expect(record).toMatchObject({ id, code: 'script_error', console: [{ level: 'log' }] });
    expect(record.frames[0]).toMatchObject({ line: 2, column: 20, source: '  return page.item.name;' });
    expect((await lc500(`invocations log ${id}`)).stdout).toBe('log: for /tea?x=1\n');

    expect((await lc500(`invocations delete ${id}`)).stdout).toBe(`deleted ${id}\n`);
    const again = await lc500(`invocations show ${id}`);
    expect(again.code).toBe(1);
    expect(again.stderr).toContain('there is none (any more)');
  },
);

test.skipIf(!hasCurl)('curl repeats it against the gateway', async () => {
  const { lc500, failed, system } = operated;
  const id = await failed('shop.localhost', { method: 'POST', path: "/a/../b?x='1'", body: BODY });
  const { stdout, stderr } = await lc500(`invocations curl ${id} --gateway http://127.0.0.1:${system.port}`);
  expect(stderr).toBe('');
  const repeated = (await runShell(stdout)).stdout.toString();
  const [, newId] = /^HTTP\/1\.1 500 .*^X-Request-Id: (\S+)/ms.exec(repeated) ?? [];
  expect(newId).not.toBe(id);
  const record = JSON.parse((await lc500(`invocations show ${newId} --json`)).stdout) as object;
  expect(record).toMatchObject({
    request: { method: 'POST', url: "/a/../b?x='1'", bodyBytes: BODY.length },
  });
});

test('a failure becomes a test that fails until the script is mended', { timeout: 60_000 }, async () => {
  const { lc500, failed, folder } = operated;
  const id = await failed('shop.localhost', { method: 'POST', path: '/tea', body: BODY });
  const { stdout } = await lc500(`invocations fixture ${id}`);
  expect(stdout).toBe(`wrote failures/${id}; run it with:\n  npx vitest run --root failures/${id}\n`);
  const fixture = join(folder, 'failures', id);
  expect(await readFile(join(fixture, 'request.body'))).toEqual(BODY);

  const before = await runVitest(folder, `failures/${id}`);
  expect(before.code).toBe(1);
  expect(before.output).toContain("TypeError: Cannot read properties of null (reading 'name')");
  expect(before.output).toContain('at nameOf (index.js:2:20)');
  const script = join(fixture, 'script.js');
  const broken = await readFile(script, 'utf8');
  expect(broken).toBe(BROKEN);
  await writeFile(script, broken.replace('page.item.name', "page.item?.name ?? 'nothing'"));
  const after = await runVitest(folder, `failures/${id}`);
  expect(after).toMatchObject({ code: 0 });
  expect(after.output).toMatch(/1 passed/);

  const replayed = await lc500(`replay ${id} --script failures/${id}/script.js --unsafe`);
  expect(replayed.code).toBe(0);
  expect(replayed.stdout).toContain('outcome: script_error 500 → answered 200');
  const second = await lc500(`invocations fixture ${id}`);
  expect(second.code).toBe(1);
  expect(second.stderr).toContain('is not empty');
});

const VITEST = fileURLToPath(new URL('../../node_modules/vitest/vitest.mjs', import.meta.url));

/** `npx vitest run --root …`, without what this very run has in its environment. */
async function runVitest(cwd: string, root: string): Promise<{ code: number | null; output: string }> {
  const child = spawn(process.execPath, [VITEST, 'run', '--root', root], {
    cwd,
    env: { PATH: process.env['PATH'] ?? '', NO_COLOR: '1' },
  });
  child.stdin.end();
  const ended = new Promise<number | null>((resolve) => void child.on('close', resolve));
  const [out, err, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  return { code, output: out + err };
}
