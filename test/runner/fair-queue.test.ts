import { expect, test } from 'vitest';
import { FairQueue } from '../../runner/fair-queue.ts';
import { TenantAccounts, type TenantAccount } from '../../runner/tenant-accounts.ts';

const anyone = (): boolean => true;

interface Demand {
  readonly tenant: string;
  readonly runMs: number;
}

/** One sandbox, tenants that always want more of it, and a clock that only runs in it. @returns time used by each */
function share(demands: readonly Demand[], totalMs: number): Map<string, number> {
  const due = new Map<TenantAccount, number>();
  const queue = new FairQueue<Demand>((account) => due.get(account) ?? 0);
  const accounts = new TenantAccounts();
  for (const demand of demands) queue.push(accounts.of(demand.tenant), demand, 0);
  const used = new Map<string, number>();
  for (let now = 0; now < totalMs;) {
    const next = queue.next(anyone, now) as Demand;
    const account = accounts.of(next.tenant);
    now += next.runMs;
    used.set(next.tenant, (used.get(next.tenant) ?? 0) + next.runMs);
    due.set(account, (due.get(account) ?? 0) + next.runMs);
    queue.push(account, next, now);
  }
  return used;
}

test('a share is time, not a number of runs', () => {
  const used = share(
    [
      { tenant: 'cheap', runMs: 1 },
      { tenant: 'dear', runMs: 100 },
    ],
    10_000,
  );
  expect(used.get('cheap')).toBeGreaterThan(4800);
  expect(used.get('dear')).toBeGreaterThan(4800);
});

test('a tenant’s own jobs stay in order, and one that gave up is not given a turn', () => {
  const accounts = new TenantAccounts();
  const queue = new FairQueue<string>((account) => accounts.dueAt(account));
  const one = accounts.of('one');
  for (const item of ['a', 'b', 'c']) queue.push(one, item, 0);
  expect(queue.remove(one, 'b')).toBe(true);
  expect(queue.remove(one, 'b')).toBe(false);
  expect(queue.length).toBe(2);
  expect([queue.next(anyone, 0), queue.next(anyone, 0), queue.next(anyone, 0)]).toEqual([
    'a',
    'c',
    undefined,
  ]);
  expect(queue.length).toBe(0);
});

test('among equals it goes round', () => {
  const queue = new FairQueue<string>(() => 0);
  const accounts = new TenantAccounts();
  for (const item of ['a1', 'a2', 'b1', 'b2', 'c1']) queue.push(accounts.of(item[0] as string), item, 0);
  const order = Array.from({ length: 5 }, () => queue.next(anyone, 0));
  expect(order).toEqual(['a1', 'b1', 'c1', 'a2', 'b2']);
});

test('who may have nothing now keeps his place', () => {
  const queue = new FairQueue<string>(() => 0);
  const accounts = new TenantAccounts();
  const [first, second] = [accounts.of('first'), accounts.of('second')];
  queue.push(first, 'first');
  queue.push(second, 'second');
  expect(queue.next((account) => account === second)).toBe('second');
  expect(queue.next((account) => account === second)).toBeUndefined();
  expect(queue.next(anyone)).toBe('first');
});

test('nobody saves up time by being idle, and nobody owes for time that nobody else wanted', () => {
  const accounts = new TenantAccounts();
  const [alone, late] = [accounts.of('alone'), accounts.of('late')];
  // 'late' was known before 'alone' used everything for an hour.
  for (let i = 0; i < 100; i++) {
    const run = accounts.begin(alone);
    accounts.end({ ...run, startedAt: run.startedAt - 36_000 });
  }
  expect(accounts.dueAt(late)).toBeLessThan(accounts.dueAt(alone));
  // What 'late' is ahead of it is no more than the run that is paid for last.
  expect(accounts.dueAt(alone) - accounts.dueAt(late)).toBeLessThan(36_500);
  accounts.end(accounts.begin(alone));
  expect(accounts.dueAt(alone) - accounts.dueAt(late)).toBeLessThan(1000);
});

test('tenants count as active while they run something and shortly after it', () => {
  const accounts = new TenantAccounts();
  accounts.of('only asked');
  accounts.end(accounts.begin(accounts.of('ended')));
  const running = accounts.begin(accounts.of('running'));
  expect(accounts.active()).toBe(2);
  const later = performance.now() + 60_000;
  expect(accounts.active(later)).toBe(1);
  accounts.end(running);
  expect(accounts.active(later)).toBe(0);
});

test('tenants that are ever new do not keep one waiting that has used its share', () => {
  const accounts = new TenantAccounts();
  const queue = new FairQueue<string>((account) => accounts.dueAt(account));
  const known = accounts.of('known');
  accounts.begin(known);
  known.due += 1000;
  queue.push(known, 'known', 0);
  let now = 0;
  for (let taken = ''; taken !== 'known'; now += 100) {
    queue.push(accounts.of(`new ${now}`), 'new', now);
    taken = queue.next(anyone, now) as string;
    expect(now).toBeLessThan(5000);
  }
});
