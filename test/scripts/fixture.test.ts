import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readFixture, runFixture, writeFixtureFiles } from '../../scripts/sandbox/fixture.ts';

const FIXTURE = {
  request: {
    method: 'PUT',
    url: '/a?b=1',
    headers: [['X-Name', 'caf\xe9'] as [string, string]],
    body: Buffer.from([0x00, 0xff, 0x0a]),
  },
  blueprint: { status: 203, headers: [['X-B', '1'] as [string, string]], body: Buffer.from('{"n":1}') },
  script: Buffer.from('\uFEFFsetBody(readRequestBodyBytes()); setStatus(readResponseStatusCode());'),
  limits: { SCRIPT_TIMEOUT_MS: 500, MAX_RESPONSE_BYTES: 3 },
};

test('a fixture is read back as it was written, and runs', async ({ onTestFinished }) => {
  const folder = await mkdtemp(join(tmpdir(), 'lc500-fixture-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  await writeFixtureFiles(folder, FIXTURE);
  expect(await readFixture(folder)).toEqual(FIXTURE);
  expect(await readFile(join(folder, 'request.body'))).toEqual(FIXTURE.request.body);
  // It holds what a client sent.
  expect((await stat(join(folder, 'request.body'))).mode & 0o777).toBe(0o600);
  const { answer, failure } = await runFixture(folder);
  expect(failure).toBe(undefined);
  expect(answer).toEqual({ status: 203, headers: [], body: FIXTURE.request.body });
});
