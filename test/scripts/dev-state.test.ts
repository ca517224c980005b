import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { DEV_STATE_FILE, readDevState, removeDevState, writeDevState } from '../../scripts/dev-state.ts';

const state = { env: { AWS_BUCKET: 'b' }, gateway: 'http://127.0.0.1:8080' };

test('the state is written, read and removed', async ({ onTestFinished }) => {
  const folder = await mkdtemp(join(tmpdir(), 'lc500-state-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  expect(await readDevState(folder)).toBe(undefined);
  await writeDevState(state, folder);
  expect(await readDevState(folder)).toEqual(state);
  await removeDevState(folder);
  await removeDevState(folder);
  expect(await readDevState(folder)).toBe(undefined);
});

test('nobody but its owner reads it: it holds credentials', async ({ onTestFinished }) => {
  const folder = await mkdtemp(join(tmpdir(), 'lc500-state-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  await writeDevState(state, folder);
  expect((await stat(join(folder, DEV_STATE_FILE))).mode & 0o777).toBe(0o600);
});
