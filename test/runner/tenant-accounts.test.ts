import { expect, test } from 'vitest';
import { holdsMuch, TenantAccounts } from '../../runner/tenant-accounts.ts';

test('a tenant holds much when it has more than one sandbox for long', () => {
  const accounts = new TenantAccounts();
  const account = accounts.of('long');
  accounts.end(accounts.begin(account), 100);
  accounts.begin(account);
  expect(holdsMuch(account)).toBe(false);
  const second = accounts.begin(account);
  expect(holdsMuch(account)).toBe(true);
  accounts.end(second, 100);
  expect(holdsMuch(account)).toBe(false);
});

test('brief runs, and those of which nobody knows yet, are in nobody’s way', () => {
  const accounts = new TenantAccounts();
  const [brief, unknown] = [accounts.of('brief'), accounts.of('unknown')];
  accounts.end(accounts.begin(brief), 1);
  for (const account of [brief, unknown]) for (let i = 0; i < 4; i++) accounts.begin(account);
  expect(holdsMuch(brief)).toBe(false);
  expect(holdsMuch(unknown)).toBe(false);
});
