import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

interface LockedPackage {
  readonly integrity?: string;
  readonly resolved?: string;
  readonly hasInstallScript?: boolean;
}

const ROOT = new URL('../', import.meta.url);

function read(path: string): unknown {
  return JSON.parse(readFileSync(new URL(path, ROOT), 'utf8'));
}

function packagesOf(lock: string): [name: string, locked: LockedPackage][] {
  const { packages } = read(lock) as { packages: Record<string, LockedPackage> };
  return Object.entries(packages).filter(([name]) => name !== '');
}

const LOCKS = ['package-lock.json', 'scripts/bench/package-lock.json'];

test.each(LOCKS)('%s has every package’s hash, and no address of a registry', (lock) => {
  const packages = packagesOf(lock);
  expect(packages.length).toBeGreaterThan(0);
  const unpinned = packages.filter(([, { integrity }]) => !integrity?.startsWith('sha512-'));
  expect(unpinned.map(([name]) => name)).toEqual([]);
  expect(packages.filter(([, { resolved }]) => resolved !== undefined).map(([name]) => name)).toEqual([]);
});

test('of every package that wants to run something at its installation it is decided whether it may', () => {
  const { allowScripts } = read('package.json') as { allowScripts: Record<string, boolean> };
  const wanting = packagesOf('package-lock.json')
    .filter(([, { hasInstallScript }]) => hasInstallScript)
    .map(([name]) => name.split('node_modules/').at(-1) as string);
  expect([...new Set(wanting)].filter((name) => !(name in allowScripts))).toEqual([]);
  expect(Object.keys(allowScripts).filter((name) => allowScripts[name])).toEqual(['isolated-vm', 'node']);
});
