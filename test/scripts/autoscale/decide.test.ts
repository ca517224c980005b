import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  decide,
  NO_HISTORY,
  type Decision,
  type Limits,
  type Signals,
} from '../../../scripts/autoscale/decide.ts';

const LIMITS: Limits = {
  targetWaitMs: 500,
  minRunners: 1,
  maxRunners: 20,
  startMs: 10_000,
  quietMs: 60_000,
  idleMs: 300_000,
  intervalMs: 2000,
  sandboxesPerRunner: 2,
};

/** A world in which requests come at a rate and wait as told; asked every interval. */
function world(limits: Partial<Limits> = {}, start = 1) {
  const all = { ...LIMITS, ...limits };
  let [now, arrived, current, history] = [0, 0, start, NO_HISTORY];
  return {
    get runners() {
      return current;
    },
    /** @returns the decisions of these seconds */
    run(seconds: number, rate: number, change: Partial<Signals> = {}): Decision[] {
      const decisions: Decision[] = [];
      for (const end = now + seconds * 1000; now < end;) {
        now += all.intervalMs;
        arrived += (rate * all.intervalMs) / 1000;
        const sandboxes = current * 2;
        const signals = {
          at: now,
          waiting: 0,
          arrived,
          serviceMs: 40,
          runners: current,
          sandboxes,
          ...change,
        };
        const decision = decide({ now, current, signals, limits: all, history });
        ({ wanted: current, history } = decision);
        decisions.push(decision);
      }
      return decisions;
    },
    without(): Decision {
      now += all.intervalMs;
      const decision = decide({ now, current, signals: undefined, limits: all, history });
      history = decision.history;
      return decision;
    },
  };
}

describe('the number that a steady load needs', () => {
  // 40 ms each, two sandboxes a runner, and ln(100) · 40 / 500 = 0.37 sandboxes to spare.
  test.each([
    [0.1, 1],
    [25, 1],
    [40, 1],
    [41, 2],
    [90, 2],
    [91, 3],
    [200, 5],
    [10_000, 20],
  ])('%d requests/s: %i runners', (rate, expected) => {
    const it = world();
    it.run(120, rate);
    expect(it.runners).toBe(expected);
  });

  test('is the same from above, after the quiet time, one at a time', () => {
    const it = world({}, 9);
    const wanted = it.run(120, 200).map((decision) => decision.wanted);
    expect(it.runners).toBe(5);
    expect(wanted.filter((count) => count === 9).length).toBeGreaterThanOrEqual(28);
    for (const [i, count] of wanted.entries()) expect((wanted[i - 1] ?? 9) - count).toBeLessThanOrEqual(1);
  });
});

test('up at once, and by as many as the backlog needs, after a tenfold load', () => {
  const it = world();
  it.run(120, 40);
  expect(it.runners).toBe(1);
  const [first] = it.run(2, 400, { waiting: 720 });
  expect([first?.action, first?.wanted]).toEqual(['up', 5]);
});

test('down only after the quiet time, also when the load goes up and down in it', () => {
  const it = world();
  it.run(120, 200);
  for (let i = 0; i < 10; i++) {
    it.run(20, 40);
    it.run(20, 200);
  }
  const lowest = it.runners;
  expect(lowest).toBeGreaterThanOrEqual(4);
  it.run(200, 10);
  expect(it.runners).toBe(1);
});

describe('a burst shorter than a start', () => {
  test('starts nobody when those who run clear it before a new one could', () => {
    const it = world({ startMs: 60_000 });
    it.run(120, 20);
    // Two seconds at twice of what one runner can do.
    it.run(2, 100, { waiting: 100 });
    it.run(10, 20, { waiting: 60 });
    it.run(60, 20);
    expect(it.runners).toBe(1);
  });

  test('that is more than they can clear does', () => {
    const it = world({ startMs: 60_000 });
    it.run(120, 20);
    it.run(10, 500, { waiting: 4000 });
    expect(it.runners).toBeGreaterThan(1);
  });
});

describe('with a minimum of zero', () => {
  test('no request for the idle time takes the last one away, and the first brings one back', () => {
    const it = world({ minRunners: 0 });
    it.run(60, 5);
    it.run(290, 0);
    expect(it.runners).toBe(1);
    it.run(80, 0);
    expect(it.runners).toBe(0);
    const [back] = it.run(2, 0.5, { waiting: 1 });
    expect([back?.action, back?.wanted]).toEqual(['up', 1]);
  });

  test('an asynchronous request brings one back, and keeps it; many bring no more than that', () => {
    const it = world({ minRunners: 0 }, 0);
    it.run(400, 0, { asynchronous: 500, serviceMs: undefined });
    expect(it.runners).toBe(1);
    it.run(400, 0);
    expect(it.runners).toBe(0);
  });

  test('nothing is started for nothing', () => {
    const it = world({ minRunners: 0 }, 0);
    it.run(60, 0);
    expect(it.runners).toBe(0);
  });
});

describe('hold, and say why', () => {
  const loaded = () => {
    const it = world();
    it.run(120, 200);
    return it;
  };
  test('no signals', () => {
    const it = loaded();
    for (let i = 0; i < 200; i++) {
      expect(it.without()).toMatchObject({ action: 'hold', wanted: 5, reason: 'the signals are missing' });
    }
    it.run(20, 200);
    expect(it.runners).toBe(5);
  });
  test.each([
    [{ at: -20_000 }, /ms old/],
    [{ waiting: NaN }, /no sense/],
    [{ sandboxes: -1 }, /no sense/],
    [{ runners: 0, sandboxes: 0 }, /no runner is heard of/],
  ])('%o', (change, reason) => {
    const decisions = loaded().run(300, 0, change);
    for (const decision of decisions) {
      expect(decision).toMatchObject({ action: 'hold', wanted: 5, reason: expect.stringMatching(reason) });
    }
  });
  test('the first look tells no rate', () => {
    expect(world({}, 3).run(2, 1000)[0]).toMatchObject({ action: 'hold', wanted: 3 });
  });
});

test('a counter that begins anew is no load, and no end of it', () => {
  const it = world();
  it.run(120, 200);
  const after = it.run(4, -20_000 / 4).at(-1);
  it.run(40, 200);
  expect(after?.wanted).toBe(5);
  expect(it.runners).toBe(5);
});

test('the limits come first, whatever is seen', () => {
  const signal = fc.oneof(fc.double(), fc.nat());
  const step = fc.record({
    waiting: signal,
    arrived: signal,
    serviceMs: fc.option(fc.nat(), { nil: undefined }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 50 }), fc.nat({ max: 30 }), (steps, start) => {
      let [current, history] = [start, NO_HISTORY];
      for (const [i, seen] of steps.entries()) {
        const now = i * LIMITS.intervalMs;
        const signals = { at: now, runners: current, sandboxes: 2 * current, ...seen };
        const decision = decide({ now, current, signals, limits: LIMITS, history });
        const change = decision.wanted - current;
        expect(Number.isInteger(decision.wanted)).toBe(true);
        expect(change).toBeGreaterThanOrEqual(-1);
        expect(change <= 0 || decision.wanted <= LIMITS.maxRunners).toBe(true);
        expect(change >= 0 || decision.wanted >= LIMITS.minRunners).toBe(true);
        ({ wanted: current, history } = decision);
      }
    }),
  );
});

test('more load never asks for fewer', () => {
  const load = fc.record({ rate: fc.integer({ max: 2000, min: 0 }), waiting: fc.nat({ max: 5000 }) });
  fc.assert(
    fc.property(load, load, ({ rate, waiting }, more) => {
      const [less, both] = [world(), world()];
      less.run(60, rate, { waiting });
      both.run(60, rate + more.rate, { waiting: waiting + more.waiting });
      expect(both.runners).toBeGreaterThanOrEqual(less.runners);
    }),
    { numRuns: 50 },
  );
});
