import { setTimeout as sleep } from 'node:timers/promises';
import { waitFor } from '../helpers/wait.ts';
import type { Fault } from './fault.ts';
import type { Lab } from './lab.ts';
import { judgeLater, startLater } from './later.ts';
import { leaks, type Baseline } from './leaks.ts';
import { startLoad, type Exchange } from './load.ts';
import { createRandom } from './random.ts';
import { recovery } from './recovery.ts';
import { repeatKeyed } from './repeats.ts';
import { SCRIPTS } from './requests.ts';
import { judge, type Verdict } from './verdict.ts';

/** What was done, and when; times by this process's clock, ms. */
export interface Struck {
  readonly beganAt: number;
  readonly endedAt: number;
  /** Gateways that were down in between. */
  readonly down: readonly number[];
}

export interface RunResult extends Verdict {
  readonly seed: number;
  /** From the fault's end until every gateway answers again, ms. */
  readonly recoveryMs: number;
  /** Asynchronous requests that were accepted, and how many of them nothing became of. */
  readonly later: { readonly accepted: number; readonly lost: number };
}

/** Of each tenant, before a fault: of two runners one has had none of them in one of some two thousand runs. */
const WARM_REQUESTS = 12;
const AFTER_MS = 1000;

/**
 * One run: load, the fault, recovery, more load; then everything is looked at.
 *
 * @param patience how many times as long as promised recovery and refusals may take, on a machine that is busy
 * @throws Error when the fault itself could not be inflicted
 */
export async function run(
  lab: Lab,
  baseline: Baseline,
  fault: Fault,
  seed: number,
  patience = 1,
): Promise<RunResult> {
  const random = createRandom(seed);
  const name = `s${seed}`;
  const load = startLoad(lab, seed, name);
  const later = startLater(lab, seed, name);
  await waitFor('load', () => isWarm(load.exchanges));
  await sleep(random.between(0, 700));
  lab.noteDescendants();
  const beganAt = performance.now();
  const down = (await fault.strike(lab, random)) ?? [];
  const struck: Struck = { beganAt, endedAt: performance.now(), down };
  const recoveryMs = await recovery(lab, name);
  lab.noteDescendants();
  await sleep(AFTER_MS);
  await Promise.all([load.stop(), later.stop()]);
  const repeats: Exchange[] = await repeatKeyed(lab, load.exchanges);
  const { problems: laterProblems, ...ofLater } = await judgeLater(lab, fault, later);
  const found = await leaks(lab, baseline);
  const verdict = judge({ patience, lab, fault, struck, exchanges: load.exchanges, repeats, recoveryMs });
  const problems = [...verdict.problems, ...laterProblems, ...found];
  return { ...verdict, problems, seed, recoveryMs, later: ofLater };
}

/** Every runner has run every tenant's script, so that a storage that fails finds it known. */
function isWarm(exchanges: readonly Exchange[]): boolean {
  const seen = Map.groupBy(exchanges, ({ request }) => request.hostname);
  return Object.keys(SCRIPTS).every((host) => (seen.get(host)?.length ?? 0) >= WARM_REQUESTS);
}
