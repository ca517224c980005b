import { decide, NO_HISTORY, type Limits } from '../decide.ts';
import type { Rule } from './model.ts';

/** The decision of this project. */
export function decisionRule(limits: Limits): Rule {
  let history = NO_HISTORY;
  return {
    name: 'lc500',
    intervalMs: limits.intervalMs,
    initial: limits.minRunners,
    wanted({ now, ordered, runners, waiting, arrived, serviceMs }) {
      const sandboxes = runners * limits.sandboxesPerRunner;
      const signals = { at: now, waiting, arrived, serviceMs, runners, sandboxes };
      const decision = decide({ now, current: ordered, signals, limits, history });
      history = decision.history;
      return decision.wanted;
    },
  };
}

/** As many as the peak needs, always. */
export function fixedRule(runners: number): Rule {
  return { name: 'fixed', intervalMs: 15_000, initial: runners, wanted: () => runners };
}

export interface Thresholds {
  readonly up: number;
  readonly down: number;
  readonly step: number;
  /** How long the queue must be short before one is taken away, milliseconds. */
  readonly quietMs: number;
}

/**
 * What Heroku add-ons do for workers: every 15 s, so many more when the queue is longer than one threshold, one
 * fewer when it was shorter than the other for a while. While runners are on their way none is ordered.
 */
export function thresholdRule({ up, down, step, quietMs }: Thresholds, limits: Limits): Rule {
  let longAt = 0;
  return {
    name: 'threshold',
    intervalMs: 15_000,
    initial: limits.minRunners,
    wanted({ now, ordered, runners, waiting }) {
      if (waiting > down) longAt = now;
      if (waiting > up) return runners < ordered ? ordered : Math.min(limits.maxRunners, ordered + step);
      if (now - longAt < quietMs) return ordered;
      longAt = now;
      return Math.max(limits.minRunners, ordered - 1);
    },
  };
}

/**
 * KEDA with its defaults on the number of requests waiting and running: asked for every 30 s, ceil(value / target)
 * with 10 % tolerance; at most twice as many or four more in 15 s; down to the highest of the last 300 s.
 * Sources: keda.sh "Scaling deployments", kubernetes.io "Horizontal Pod Autoscaling".
 */
export function kedaRule(target: number, limits: Limits): Rule {
  const seen: { at: number; desired: number }[] = [];
  let value = 0;
  return {
    name: 'KEDA',
    intervalMs: 15_000,
    initial: limits.minRunners,
    wanted({ now, ordered, waiting, busy }) {
      if (now % 30_000 === 0) value = waiting + busy;
      const ratio = value / target / ordered;
      const desired = Math.abs(ratio - 1) <= 0.1 ? ordered : Math.ceil(value / target);
      seen.push({ at: now, desired: Math.max(limits.minRunners, Math.min(limits.maxRunners, desired)) });
      while (seen[0] && seen[0].at < now - 300_000) seen.shift();
      const stabilised = Math.max(...seen.map((recommendation) => recommendation.desired));
      const last = seen.at(-1)?.desired ?? ordered;
      if (last > ordered) return Math.min(last, Math.max(2 * ordered, ordered + 4));
      return Math.min(ordered, stabilised);
    },
  };
}
