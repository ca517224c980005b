import { setTimeout as sleep } from 'node:timers/promises';
import { seededRandom } from '../../scripts/autoscale/simulate/random.ts';
import { waitFor } from '../helpers/wait.ts';
import type { Arena } from './arena.ts';
import { ORDINARY } from './families.ts';
import { footprint, type Footprint } from './footprint.ts';
import type { Family, HostileCase } from './hostile-case.ts';
import { stepAside, stepForward } from './scheduling.ts';
import { watchSandboxes, type SandboxSights } from './sandbox-watch.ts';
import { Tally } from './tally.ts';

/** One attacker for each sandbox that is there for all, and one that waits. */
const ATTACKERS = 4;
/** The victim's first requests find all processes cold. */
const WARM_UP_MS = 20_000;
/** As long as the victim is looked at without attack, and beside each family: a percentile wants many requests. */
const CALM_MS = 60_000;
const FAMILY_MS = 40_000;
/** Between two looks at memory. */
const SAMPLE_MS = 5000;
/** After this much of an attack that was refused the attacker comes again. */
const AGAIN_MS = 200;

/** What came of one family's cases. */
export class FamilyTally {
  /** By themselves, one after the other. */
  readonly byOne = new Tally();
  /** By themselves, by all attackers at once. */
  readonly byAll = new Tally();
  /** Among those of all families. */
  readonly mixed = new Tally();
}

/** What a siege has shown. */
export interface Siege {
  /** Beside clients who do nothing bad. */
  readonly ordinary: FamilyTally;
  readonly families: ReadonlyMap<Family, FamilyTally>;
  readonly mixed: Tally;
  readonly calm: { readonly before: readonly number[]; readonly after: readonly number[] };
  readonly sandboxes: SandboxSights;
  /** How long each sandbox's place was empty, as the runner tells it, milliseconds. */
  readonly replacedMs: readonly number[];
  readonly before: Footprint;
  /** While everything was attacked at once. */
  readonly during: readonly Footprint[];
  readonly after: Footprint;
}

/**
 * First ordinary clients, to compare with; then family by family, which shows what each does to the victim; then
 * everything in random order, all attackers at once, for so long.
 */
export async function besiege(
  arena: Arena,
  families: readonly Family[],
  minutes: number,
  seed: number,
): Promise<Siege> {
  // Attackers and the victim's client have machines of their own: what these wait for a core is not the system's latency.
  stepAside(process.pid);
  stepForward(arena.victim.pid);
  await sleep(WARM_UP_MS);
  const calmBefore = await calm(arena);
  const before = footprint(arena.system);
  const watch = watchSandboxes(arena.system.runners[0]?.pid as number);
  const ordinary = new FamilyTally();
  const tallies = new Map(families.map((family) => [family, new FamilyTally()]));
  await attackByFamily(arena, [[ORDINARY, ordinary], ...tallies], before);
  const { mixed, during } = await attackInRandomOrder(arena, tallies, minutes, seed);
  await settle(arena, before);
  const sandboxes = watch.stop();
  const calmAfter = await calm(arena);
  const after = footprint(arena.system);
  return {
    ordinary,
    families: tallies,
    mixed,
    calm: { before: calmBefore, after: calmAfter },
    sandboxes,
    replacedMs: replacements(arena),
    before,
    during,
    after,
  };
}

async function attackByFamily(
  arena: Arena,
  tallies: readonly (readonly [Family, FamilyTally])[],
  before: Footprint,
): Promise<void> {
  const attack = async (attackers: number, { cases }: Family, tally: Tally): Promise<void> => {
    await attackAll(arena, attackers, inOrder(cases, performance.now() + FAMILY_MS), tally, () => tally);
    await settle(arena, before);
  };
  for (const [family, { byOne, byAll }] of tallies) {
    await attack(1, family, byOne);
    await attack(ATTACKERS, family, byAll);
  }
}

async function attackInRandomOrder(
  arena: Arena,
  tallies: Siege['families'],
  minutes: number,
  seed: number,
): Promise<Pick<Siege, 'mixed' | 'during'>> {
  const during: Footprint[] = [];
  const sampler = setInterval(() => during.push(footprint(arena.system)), SAMPLE_MS);
  const mixed = new Tally();
  const tallyOf = new Map(
    [...tallies].flatMap(([{ cases }, tally]) => cases.map((hostile) => [hostile, tally.mixed])),
  );
  const until = performance.now() + minutes * 60_000;
  const cases = shuffledUntil([...tallies.keys()], seed, () => performance.now() > until);
  await attackAll(arena, ATTACKERS, cases, mixed, (hostile) => tallyOf.get(hostile) as Tally);
  clearInterval(sampler);
  return { mixed, during };
}

function replacements({ system }: Arena): number[] {
  const records = system.runners.flatMap(({ records: all }) => all);
  return records.filter(({ msg }) => msg === 'sandbox replaced').map(({ ms }) => Number(ms));
}

/** The victim's usual latencies: nobody else asks for anything. */
async function calm({ victim }: Arena): Promise<number[]> {
  victim.take();
  await sleep(CALM_MS);
  return victim.take();
}

async function settle({ system, victim }: Arena, before: Footprint): Promise<void> {
  await waitFor('all sandboxes', () => footprint(system).sandboxes === before.sandboxes, {
    timeoutMs: 60_000,
  });
  await sleep(1000);
  victim.take();
}

/** @param of where a case is counted beside `together`, which gets the victim's latencies */
async function attackAll(
  arena: Arena,
  attackers: number,
  cases: Iterator<HostileCase>,
  together: Tally,
  of: (hostile: HostileCase) => Tally,
): Promise<void> {
  arena.victim.take();
  const attacker = async (): Promise<void> => {
    for (let next = cases.next(); !next.done; next = cases.next()) {
      const verdict = await arena.attack(next.value);
      for (const tally of new Set([together, of(next.value)])) tally.add(next.value, verdict);
      if (verdict.isRefused) await sleep(AGAIN_MS);
    }
  };
  await Promise.all(Array.from({ length: attackers }, attacker));
  together.latencies.push(...arena.victim.take());
}

/** All cases, and again until it is so late. */
function* inOrder(cases: readonly HostileCase[], until: number): Generator<HostileCase, void> {
  do yield* cases;
  while (performance.now() < until);
}

/** All cases in one random order after the other. */
function* shuffledUntil(
  families: readonly Family[],
  seed: number,
  isOver: () => boolean,
): Generator<HostileCase, void> {
  const random = seededRandom(seed);
  for (;;) {
    const bag = families.flatMap(({ cases }) => cases).map((hostile) => ({ hostile, at: random() }));
    for (const { hostile } of bag.sort((a, b) => a.at - b.at)) {
      if (isOver()) return;
      yield hostile;
    }
  }
}
