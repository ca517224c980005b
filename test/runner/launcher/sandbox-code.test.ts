import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { SandboxCodeStore } from '../../../runner/launcher/sandbox-code.ts';

let parent: string;
beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'lc500-code-'));
});
afterEach(() => rmSync(parent, { recursive: true, force: true }));

test('it is JavaScript that finds its own parts, readable for all and writable for nobody else', () => {
  const { directory, entry } = new SandboxCodeStore(parent).find();
  expect(entry).toBe(join(directory, 'main.mjs'));
  const names = readdirSync(directory);
  expect(names).toContain('isolate.mjs');
  for (const name of names) {
    const path = join(directory, name);
    expect(statSync(path).mode & 0o777).toBe(0o644);
    const imported = [...readFileSync(path, 'utf8').matchAll(/ from '\.\/([^']+)'/g)].map(
      (match) => match[1],
    );
    expect(names).toEqual(expect.arrayContaining(imported));
  }
  expect(statSync(directory).mode & 0o777).toBe(0o755);
});

test('two runners share it', () => {
  const one = new SandboxCodeStore(parent).find();
  expect(new SandboxCodeStore(parent).find()).toEqual(one);
  expect(readdirSync(parent)).toHaveLength(1);
});

test('what has been tidied away, cut off or changed is there again', () => {
  const store = new SandboxCodeStore(parent);
  const { directory, entry } = store.find();
  const whole = readFileSync(entry, 'utf8');
  rmSync(directory, { recursive: true });
  expect(store.find()).toEqual({ directory, entry });
  writeFileSync(entry, whole.slice(0, 10));
  store.find();
  expect(readFileSync(entry, 'utf8')).toBe(whole);
  writeFileSync(entry, whole.replace('import', 'export'));
  store.find();
  expect(readFileSync(entry, 'utf8')).toBe(whole);
});

test('a directory in which others may write is not used', () => {
  const store = new SandboxCodeStore(parent);
  chmodSync(store.find().directory, 0o777);
  expect(store.find().entry).toMatch(/runner\/sandbox\/main\.ts$/);
});

test('where nothing can be written it is the TypeScript', () => {
  const file = join(parent, 'file');
  writeFileSync(file, '');
  expect(new SandboxCodeStore(file).find().entry).toMatch(/runner\/sandbox\/main\.ts$/);
});
