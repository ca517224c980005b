import { simulate } from '../simulate/model.ts';
import { fixedRule } from '../simulate/rules.ts';
import type { Outcome } from './load.ts';

/**
 * Whether the simulation's model of service times and waits holds: the same rate, mean and spread as measured
 * with one runner, and what waits it says, beside those measured.
 */
export function checkModel(outcomes: readonly Outcome[]): string {
  const service = outcomes.map(({ sandboxMs }) => sandboxMs).sort((a, b) => a - b);
  const waits = outcomes.map(({ queueMs, prepareMs }) => queueMs + prepareMs).sort((a, b) => a - b);
  const mean = service.reduce((sum, ms) => sum + ms, 0) / service.length;
  const deviation = Math.sqrt(service.reduce((sum, ms) => sum + (ms - mean) ** 2, 0) / service.length);
  const spanMs = (outcomes.at(-1)?.at ?? 0) - (outcomes[0]?.at ?? 0);
  const rate = (outcomes.length / spanMs) * 1000;
  const trace = { name: 'as measured', seconds: 600, rate: () => rate, changes: [] };
  const scene = {
    trace,
    startMs: 1000,
    sandboxesPerRunner: 1,
    serviceMs: mean,
    spread: deviation / mean,
    deadlineMs: 25_000,
    reactionMs: 0,
    seed: 1,
  };
  const model = simulate(scene, fixedRule(1));
  return [
    '',
    `model: ${rate.toFixed(1)} requests/s, ${mean.toFixed(1)} ms in the sandbox (spread ${(deviation / mean).toFixed(2)}), one sandbox`,
    `  measured: service p50 ${at(service, 0.5)} p99 ${at(service, 0.99)} ms; wait p50 ${at(waits, 0.5)} p99 ${at(waits, 0.99)} ms (with some ms for the way through the queue)`,
    `  model:    wait p99 ${model.p99.toFixed(1)} ms`,
    '',
  ].join('\n');
}

function at(sorted: readonly number[], share: number): string {
  return (sorted[Math.ceil(share * sorted.length) - 1] ?? 0).toFixed(1);
}
