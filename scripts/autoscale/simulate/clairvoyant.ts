import type { Rule, Scene } from './model.ts';

/** How finely the future is known, seconds. */
const SLOT_S = 5;

/**
 * The fewest runner-hours of a schedule that knows the load of the whole future and keeps the 99th percentile of
 * waits within the target at every moment, also while the load changes.
 *
 * At each moment it needs the fewest runners for which the M/M/c queue says so (Erlang's C formula). Each is
 * ordered a start time before it is needed, and is paid for from then on; between two times when it is needed it
 * is kept if that costs no more than another start. For each runner apart that is the optimum, and no schedule
 * that keeps the target has fewer.
 */
export function clairvoyantSchedule(scene: Scene, targetMs: number, minRunners: number): Float64Array {
  const { trace, startMs, serviceMs, sandboxesPerRunner } = scene;
  const slots = Math.ceil(trace.seconds / SLOT_S);
  const needed = Array.from({ length: slots }, (_, i) => {
    const rate = Math.max(trace.rate(i * SLOT_S), trace.rate((i + 1) * SLOT_S - 0.001));
    return Math.max(minRunners, Math.ceil(fewestSandboxes(rate, serviceMs, targetMs) / sandboxesPerRunner));
  });
  const schedule = new Float64Array(slots);
  const startSlots = Math.ceil(startMs / 1000 / SLOT_S);
  for (let level = 1; level <= Math.max(...needed); level++) fill(schedule, needed, level, startSlots);
  return schedule;
}

/** A schedule's cost. */
export function runnerHours(schedule: Float64Array): number {
  return (schedule.reduce((sum, runners) => sum + runners, 0) * SLOT_S) / 3600;
}

/** The schedule as a rule, to see that it does keep the target. */
export function clairvoyantRule(schedule: Float64Array): Rule {
  const wanted = (at: number): number =>
    schedule[Math.min(schedule.length - 1, Math.floor(at / SLOT_S))] ?? 0;
  const intervalMs = SLOT_S * 1000;
  return { name: 'clairvoyant', intervalMs, initial: wanted(0), wanted: ({ now }) => wanted(now / 1000) };
}

/** Adds the slots in which one more runner than `level - 1` is paid for. */
function fill(schedule: Float64Array, needed: readonly number[], level: number, startSlots: number): void {
  let paidTo = 0;
  for (let slot = 0; slot < needed.length; slot++) {
    if ((needed[slot] ?? 0) < level) continue;
    // Ordered a start before the need, or never sent away since the last one.
    for (let paid = Math.max(paidTo, slot - startSlots); paid <= slot; paid++) schedule[paid] = level;
    paidTo = slot + 1;
  }
}

/** The smallest c with P(wait > target) of at most 1 %, in the M/M/c queue. */
export function fewestSandboxes(ratePerS: number, serviceMs: number, targetMs: number): number {
  const work = (ratePerS * serviceMs) / 1000;
  for (let c = Math.max(1, Math.floor(work) + 1); ; c++) {
    if (erlangC(c, work) * Math.exp((-(c - work) * targetMs) / serviceMs) <= 0.01) return c;
  }
}

/** The probability that a request must wait: Erlang's C, from Erlang's B by recursion. */
function erlangC(c: number, work: number): number {
  let b = 1;
  for (let k = 1; k <= c; k++) b = (work * b) / (k + work * b);
  return b / (1 - (work / c) * (1 - b));
}
