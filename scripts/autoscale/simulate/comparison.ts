import type { Limits } from '../decide.ts';
import { clairvoyantRule, clairvoyantSchedule, fewestSandboxes, runnerHours } from './clairvoyant.ts';
import { simulate, type Result, type Rule, type Scene } from './model.ts';
import { decisionRule, fixedRule, kedaRule, thresholdRule, type Thresholds } from './rules.ts';
import { TRACES, type Trace } from './traces.ts';

/** What every simulation of a comparison shares. */
export interface Assumptions {
  readonly serviceMs: number;
  readonly spread: number;
  readonly measured?: readonly number[];
  readonly sandboxesPerRunner: number;
  readonly targetWaitMs: number;
  readonly deadlineMs: number;
  readonly seed: number;
}

/** One trace with one start-up delay, under every rule. */
export interface Comparison {
  readonly trace: Trace;
  readonly startMs: number;
  /** Runner-hours of the schedule that knows the future. */
  readonly least: number;
  readonly results: readonly { readonly rule: string; readonly result: Result }[];
}

export const START_DELAYS_MS = [1000, 15_000, 60_000];

/** Sees the change, orders, waits for the start, and clears in half of such a time what has come meanwhile. */
export function reactionMs(startMs: number): number {
  return 10_000 + 2 * startMs;
}

/** Rules of thumb that a careful operator of such an add-on would try. */
const THRESHOLDS: readonly Thresholds[] = [5, 20, 100].flatMap((up) =>
  [1, 4, 10].flatMap((step) => [60_000, 300_000, 900_000].map((quietMs) => ({ up, down: 1, step, quietMs }))),
);

/** What `bestThresholds` found with the assumptions that are the default. */
const TUNED = new Map<number, Thresholds>([
  [1000, { up: 100, down: 1, step: 10, quietMs: 300_000 }],
  [15_000, { up: 5, down: 1, step: 10, quietMs: 60_000 }],
  [60_000, { up: 100, down: 1, step: 10, quietMs: 300_000 }],
]);

/**
 * Runs all traces with one start-up delay.
 *
 * @param tune look for the best thresholds anew, which takes a minute, rather than take those found before
 */
export function compare(startMs: number, assumptions: Assumptions, tune = false): Comparison[] {
  const limits = limitsOf(startMs, assumptions);
  const threshold = tune ? bestThresholds(startMs, assumptions, limits) : tuned(startMs);
  return TRACES.map((trace) => {
    const scene = sceneOf(trace, startMs, assumptions);
    const schedule = clairvoyantSchedule(scene, assumptions.targetWaitMs, limits.minRunners);
    const rules = [
      decisionRule(limits),
      thresholdRule(threshold, limits),
      kedaRule(0.7 * assumptions.sandboxesPerRunner, limits),
      fixedRule(peakRunners(trace, assumptions)),
      clairvoyantRule(schedule),
    ];
    const results = rules.map((rule) => ({ rule: rule.name, result: simulate(scene, rule) }));
    return { trace, startMs, least: runnerHours(schedule), results };
  });
}

function tuned(startMs: number): Thresholds {
  const found = TUNED.get(startMs);
  if (!found) throw new Error(`no thresholds were ever looked for with a start of ${startMs} ms`);
  return found;
}

function limitsOf(startMs: number, { targetWaitMs, sandboxesPerRunner }: Assumptions): Limits {
  return {
    targetWaitMs,
    sandboxesPerRunner,
    startMs,
    minRunners: 1,
    maxRunners: 100,
    quietMs: 60_000,
    idleMs: 300_000,
    intervalMs: 2000,
  };
}

function sceneOf(trace: Trace, startMs: number, assumptions: Assumptions): Scene {
  return { ...assumptions, trace, startMs, reactionMs: reactionMs(startMs) };
}

/**
 * One setting for all traces, as a deployment has one: of all that are tried, the one that comes nearest to the
 * target (with the fewest requests settled over it or dropped), and of such the cheapest. It is chosen knowing
 * the traces, which is more than its operator can.
 */
function bestThresholds(startMs: number, assumptions: Assumptions, limits: Limits): Thresholds {
  const traces = TRACES.filter(({ seconds }) => seconds < 24 * 3600);
  const scored = THRESHOLDS.map((thresholds) => {
    const results = traces.map((trace) =>
      simulate(sceneOf(trace, startMs, assumptions), thresholdRule(thresholds, limits)),
    );
    const over = results.filter(({ p99Settled }) => p99Settled > assumptions.targetWaitMs).length;
    return { thresholds, over, hours: results.reduce((sum, { runnerHours: hours }) => sum + hours, 0) };
  });
  scored.sort((a, b) => a.over - b.over || a.hours - b.hours);
  return scored[0]?.thresholds as Thresholds;
}

function peakRunners(trace: Trace, { serviceMs, targetWaitMs, sandboxesPerRunner }: Assumptions): number {
  let peak = 0;
  for (let at = 0; at < trace.seconds; at += 5) peak = Math.max(peak, trace.rate(at));
  return Math.ceil(fewestSandboxes(peak, serviceMs, targetWaitMs) / sandboxesPerRunner);
}

export function resultOf(comparison: Comparison, rule: Rule['name']): Result {
  const found = comparison.results.find((entry) => entry.rule === rule);
  if (!found) throw new Error(`there is no rule ${rule}`);
  return found.result;
}
