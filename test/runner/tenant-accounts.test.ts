import { expect, test } from 'vitest';
import { TenantAccounts } from '../../runner/tenant-accounts.ts';

/** Accounts of which the first is a tenant whose runs take 100 ms. */
function longAccount() {
  const accounts = new TenantAccounts();
  const account = accounts.of('long');
  accounts.end(accounts.begin(account), 100);
  return { accounts, account };
}

test('a tenant has much when it holds more than one sandbox for long while there are others', () => {
  const { accounts, account } = longAccount();
  accounts.end(accounts.begin(accounts.of('other')));
  accounts.begin(account);
  expect(accounts.hasMuch(account)).toBe(false);
  const second = accounts.begin(account);
  expect(accounts.hasMuch(account)).toBe(true);
  accounts.end(second, 100);
  expect(accounts.hasMuch(account)).toBe(false);
});

test('alone, a tenant may have everything', () => {
  const { accounts, account } = longAccount();
  for (let i = 0; i < 4; i++) accounts.begin(account);
  expect(accounts.hasMuch(account)).toBe(false);
});

test('brief runs are in nobody’s way', () => {
  const accounts = new TenantAccounts();
  accounts.end(accounts.begin(accounts.of('other')));
  const brief = accounts.of('brief');
  accounts.end(accounts.begin(brief), 1);
  for (let i = 0; i < 4; i++) accounts.begin(brief);
  expect(accounts.hasMuch(brief)).toBe(false);
});
