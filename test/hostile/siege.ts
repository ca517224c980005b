import { spawnSync } from 'node:child_process';
import { constants, setPriority } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { seededRandom } from '../../scripts/autoscale/simulate/random.ts';
import { waitFor } from '../helpers/wait.ts';
import type { Arena } from './arena.ts';
import { ORDINARY } from './families.ts';
import { footprint, type Footprint } from './footprint.ts';
import type { Family, HostileCase } from './hostile-case.ts';
import { watchSandboxes, type SandboxSights } from './sandbox-watch.ts';
import { Tally } from './tally.ts';

/** One attacker for each sandbox that is there for all, and one that waits. */
const ATTACKERS = 4;
/** As long as the victim is looked at without attack, and beside each family: a percentile wants many requests. */
const CALM_MS = 60_000;
const FAMILY_MS = 60_000;
/** Between two looks at memory. */
const SAMPLE_MS = 5000;
/** After this much of an attack that was refused the attacker comes again. */
const AGAIN_MS = 200;

/** What a siege has shown. */
export interface Siege {
  /** Beside as many clients who do nothing bad. */
  readonly ordinary: Tally;
  readonly families: ReadonlyMap<Family, { readonly alone: Tally; readonly mixed: Tally }>;
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
 * First as many ordinary clients, to compare with; then family by family, which shows what each does to the victim;
 * then everything in random order, all attackers at once, for so long.
 */
export async function besiege(
  arena: Arena,
  families: readonly Family[],
  minutes: number,
  seed: number,
): Promise<Siege> {
  stepAside();
  const calmBefore = await calm(arena);
  const before = footprint(arena.system);
  const watch = watchSandboxes(arena.system.runners[0]?.pid as number);
  const ordinary = new Tally();
  const tallies = new Map(families.map((family) => [family, { alone: new Tally(), mixed: new Tally() }]));
  const attackWith = async ({ cases }: Family, tally: Tally): Promise<void> => {
    await attackAll(arena, inOrder(cases, performance.now() + FAMILY_MS), tally, () => tally);
    await settle(arena, before);
  };
  await attackWith(ORDINARY, ordinary);
  for (const [family, { alone }] of tallies) await attackWith(family, alone);
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
  await attackAll(arena, cases, mixed, (hostile) => tallyOf.get(hostile) as Tally);
  clearInterval(sampler);
  return { mixed, during };
}

/**
 * Attackers have machines of their own, so this process has a core only while the system wants none. With a nice
 * value alone it would keep one for the rest of its slice, some milliseconds (sched(7), "SCHED_IDLE").
 */
function stepAside(): void {
  setPriority(constants.priority.PRIORITY_LOW);
  spawnSync('chrt', ['--all-tasks', '--idle', '--pid', '0', String(process.pid)], { stdio: 'ignore' });
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
  await Promise.all(Array.from({ length: ATTACKERS }, attacker));
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
