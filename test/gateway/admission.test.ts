import { expect, test } from 'vitest';
import { Admission } from '../../gateway/admission/admission.ts';
import { Pace } from '../../gateway/admission/pace.ts';
import { predictWait } from '../../gateway/admission/predicted-wait.ts';
import { windowOf } from '../../gateway/admission/window.ts';
import type { LC500Error } from '../../shared/errors.ts';

const DEADLINE_MS = 25_000;
const CAPACITY = { sandboxes: 2, jobs: 18, tenants: 1, otherGateways: 0 };

function createAdmission(capacity = CAPACITY): Admission {
  const admission = new Admission({ tenantWaitMs: 500, hasBlueprints: false });
  admission.update(capacity, 500);
  return admission;
}

/** Lets requests in until one is refused. */
function fill(admission: Admission, tenant: string, most: number) {
  const tickets: ReturnType<Admission['enter']>[] = [];
  let started = 0;
  let refusal: LC500Error | undefined;
  while (tickets.length < most && !refusal) {
    try {
      tickets.push(admission.enter(tenant, DEADLINE_MS, () => started++));
    } catch (error) {
      refusal = error as LC500Error;
    }
  }
  return { tickets, started: () => started, refusal };
}

/** One request that shows how long the tenant's scripts take. */
function teach(admission: Admission, tenant: string, ms: number): void {
  admission.leave(
    admission.enter(tenant, DEADLINE_MS, () => undefined),
    ms,
  );
}

test.each([
  // What is before it of its own, and of others as much again and a run more, over two sandboxes.
  [{ count: 0, meanMs: 100 }, [], 0],
  [{ count: 2, meanMs: 100 }, [], 50],
  [{ count: 10, meanMs: 100 }, [], 450],
  [{ count: 0, meanMs: 1 }, [{ count: 1000, meanMs: 100 }], 49.5],
  [{ count: 10, meanMs: 1 }, [{ count: 1000, meanMs: 100 }], 59.5],
  [{ count: 10, meanMs: 100 }, [{ count: 1, meanMs: 10 }], 455],
])('the wait of one more after %o beside %o', (own, others, expected) => {
  expect(predictWait(own, others, 2)).toBeCloseTo(expected);
});

test.each([
  ['whose time nobody knows', undefined, {}, 7],
  ['whose time nobody knows, with blueprints', undefined, { jobs: 50, hasBlueprints: true }, 18],
  ['endless', 1000, {}, 3],
  ['of 5 ms', 5, {}, 6],
  ['brief', 1, {}, 12],
  ['brief, with another gateway', 1, { gateways: 2 }, 6],
  ['endless, with three other gateways', 1000, { gateways: 4 }, 2],
  ['brief, with blueprints', 1, { jobs: 50, hasBlueprints: true }, 34],
  ['endless, with blueprints', 1000, { jobs: 50, hasBlueprints: true }, 4],
  ['whose time nobody knows, a flood', undefined, { isFlood: true }, 2],
  ['endless, a flood', 1000, { isFlood: true }, 2],
  ['brief, a flood', 1, { isFlood: true }, 2],
  ['brief, a flood, on a larger machine', 1, { isFlood: true, sandboxes: 8, jobs: 72 }, 8],
  ['brief, a flood, with another gateway', 1, { isFlood: true, gateways: 2 }, 1],
  ['brief, a flood, without a runner', 1, { isFlood: true, sandboxes: 0, jobs: 0 }, 1],
  ['brief, a flood, with blueprints', 1, { jobs: 50, hasBlueprints: true, isFlood: true }, 34],
])('jobs %s in the queue', (_name, meanMs, change, expected) => {
  const room = { sandboxes: 2, jobs: 18, gateways: 1, hasBlueprints: false, isFlood: false, ...change };
  expect(windowOf(room, meanMs)).toBe(expected);
});

test('alone, a tenant may wait as long as deadlines allow, and is then told that there is no more', () => {
  const admission = createAdmission();
  teach(admission, 'alone', 100);
  const { tickets, started, refusal } = fill(admission, 'alone', 10_000);
  expect(refusal).toMatchObject({ code: 'overloaded', retryAfter: 1 });
  // 80 % of 25 s at two sandboxes.
  expect(tickets.length).toBeGreaterThan(350);
  expect(tickets.length).toBeLessThan(410);
  expect(started()).toBe(3);
  expect(admission.held).toBe(tickets.length - 3);
});

test('each answer lets on the next, in order, and one that gave up is passed over', () => {
  const admission = createAdmission();
  teach(admission, 'one', 1000);
  const order: number[] = [];
  const tickets = Array.from({ length: 6 }, (_, i) =>
    admission.enter('one', DEADLINE_MS, () => order.push(i)),
  );
  expect(order).toEqual([0, 1, 2]);
  admission.leave(tickets[3] as never, 0);
  admission.leave(tickets[0] as never, 1000);
  admission.leave(tickets[1] as never, 1000);
  expect(order).toEqual([0, 1, 2, 4, 5]);
  for (const i of [2, 4, 5]) admission.leave(tickets[i] as never, 1000);
  expect(admission.held).toBe(0);
  expect(admission.backlogMs).toBe(0);
});

test('while others want sandboxes, who brings more than they may not wait long behind itself', () => {
  const admission = createAdmission();
  teach(admission, 'flood', 10);
  teach(admission, 'other', 10);
  const { tickets, refusal } = fill(admission, 'flood', 10_000);
  expect(refusal).toMatchObject({ code: 'tenant_overloaded', retryAfter: 1 });
  // 500 ms at two sandboxes.
  expect(tickets.length).toBeGreaterThan(80);
  expect(tickets.length).toBeLessThan(120);
  // The other goes on as if nothing were.
  const other = fill(admission, 'other', 2);
  expect(other.refusal).toBeUndefined();
  expect(other.started()).toBe(2);
});

test('a flood has no job ahead of others, who have as many as keep them going', () => {
  const admission = createAdmission({ ...CAPACITY, tenants: 2 });
  for (const tenant of ['flood', 'steady']) teach(admission, tenant, 1);
  expect(fill(admission, 'flood', 64).started()).toBe(2);
  expect(fill(admission, 'steady', 8).started()).toBe(8);
  // Now it is no more above the other than that may be.
  expect(fill(admission, 'steady', 64).started()).toBeLessThan(64);
});

test('tenants that want alike wait, and none of them is a flood', () => {
  const admission = createAdmission();
  for (const tenant of ['one', 'two']) teach(admission, tenant, 100);
  for (let i = 0; i < 30; i++)
    for (const tenant of ['one', 'two']) expect(fill(admission, tenant, 1).refusal).toBeUndefined();
});

test('two runs of its own may always wait, however long they are', () => {
  const admission = createAdmission({ ...CAPACITY, tenants: 2 });
  teach(admission, 'slow', 900);
  const { tickets, refusal } = fill(admission, 'slow', 100);
  expect(refusal).toMatchObject({ code: 'tenant_overloaded' });
  expect(tickets.length).toBeGreaterThan(2);
});

test('it is the time that counts: few dear requests are refused, many cheap ones are not', () => {
  const admission = createAdmission();
  teach(admission, 'cheap', 1);
  teach(admission, 'dear', 400);
  expect(fill(admission, 'cheap', 200).refusal).toBeUndefined();
  const { tickets, refusal } = fill(admission, 'dear', 50);
  expect(refusal).toMatchObject({ code: 'tenant_overloaded' });
  expect(tickets.length).toBeLessThan(10);
  expect(fill(admission, 'cheap', 100).refusal).toBeUndefined();
});

test('too many tenants for the time there is: 503 for those who brought no more than others', () => {
  const admission = createAdmission();
  for (let i = 0; i < 100; i++) teach(admission, `tenant-${i}`, 1000);
  const refusals: (LC500Error | undefined)[] = [];
  for (let i = 0; i < 99; i++) refusals.push(fill(admission, `tenant-${i}`, 1).refusal);
  expect(refusals[0]).toBeUndefined();
  const late = refusals.filter((refusal) => refusal !== undefined);
  expect(late.length).toBeGreaterThan(0);
  for (const { code, retryAfter } of late) {
    expect(code).toBe('overloaded');
    expect(retryAfter).toBeGreaterThanOrEqual(1);
  }
});

test('Retry-After is how long the backlog takes to clear', () => {
  const admission = createAdmission();
  teach(admission, 'alone', 100);
  fill(admission, 'alone', 10_000);
  const short = (leftMs: number) => {
    try {
      admission.enter('alone', leftMs, () => undefined);
      throw new Error('it was let in');
    } catch (error) {
      return (error as LC500Error).retryAfter;
    }
  };
  // 20 s of backlog, of which 8 s less the run itself would do.
  expect(short(10_000)).toBeGreaterThanOrEqual(11);
  expect(short(10_000)).toBeLessThanOrEqual(13);
});

test('without a runner requests wait, but not any number', () => {
  const admission = createAdmission({ sandboxes: 0, jobs: 0, tenants: 0, otherGateways: 0 });
  const { tickets, started, refusal } = fill(admission, 'one', 10_000);
  expect(started()).toBe(6);
  expect(tickets).toHaveLength(1000);
  expect(refusal).toMatchObject({ code: 'overloaded', retryAfter: 5 });
  // Then one starts.
  admission.update(CAPACITY, 500);
  admission.leave(tickets[0] as never, 1);
  // Twelve at a time, and one was answered.
  expect(started()).toBe(13);
});

test('long runs that end in lumps, and a stall, are not taken for a slow pace', () => {
  const pace = new Pace();
  for (let i = 0; i < 20; i++) {
    if (i % 4 === 3) pace.done(2000);
    pace.tick(500, true);
    expect(pace.read(1)).toBe(1);
  }
  for (let i = 0; i < 100; i++) pace.done(1);
  for (let i = 0; i < 60; i++) pace.tick(500, true);
  expect(pace.read(1)).toBe(1);
});

test('the pace is measured only while there is more work than sandboxes', () => {
  const pace = new Pace();
  pace.done(100);
  pace.tick(500, false);
  expect(pace.read(2)).toBe(2);
  for (let i = 0; i < 10; i++) {
    for (let run = 0; run < 6; run++) pace.done(100);
    pace.tick(500, true);
  }
  expect(pace.read(2)).toBeCloseTo(1.2);
  for (let i = 0; i < 40; i++) pace.tick(500, false);
  expect(pace.read(2)).toBe(2);
});
