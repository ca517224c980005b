import { expect, test } from 'vitest';
import { isInTheWay, TenantAccounts } from '../../runner/tenant-accounts.ts';

test('a tenant is in the way when it has more than one sandbox for long', () => {
  const accounts = new TenantAccounts();
  const account = accounts.of('long');
  accounts.end(accounts.begin(account), 30);
  accounts.begin(account);
  expect(isInTheWay(account)).toBe(false);
  const second = accounts.begin(account);
  expect(isInTheWay(account)).toBe(true);
  accounts.end(second, 30);
  expect(isInTheWay(account)).toBe(false);
});

test('very long runs, and those of which nobody knows yet, are always in the way, and brief ones never', () => {
  const accounts = new TenantAccounts();
  const [brief, long, unknown] = [accounts.of('brief'), accounts.of('long'), accounts.of('unknown')];
  accounts.end(accounts.begin(brief), 1);
  accounts.end(accounts.begin(long), 200);
  for (let i = 0; i < 4; i++) accounts.begin(brief);
  accounts.begin(long);
  expect(isInTheWay(brief)).toBe(false);
  expect(isInTheWay(long)).toBe(true);
  expect(isInTheWay(unknown)).toBe(true);
});

test('what a run turns out to have cost later counts as if it had taken so much longer', () => {
  const accounts = new TenantAccounts();
  const account = accounts.of('spoiler');
  accounts.end(accounts.begin(account), 1);
  const before = { ...account };
  accounts.charge(account, 100);
  expect(account.due).toBe(before.due + 100);
  expect(account.meanMs).toBeGreaterThan(before.meanMs as number);
});
