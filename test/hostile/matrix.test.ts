import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { waitFor } from '../helpers/wait.ts';
import { LIMITS, openArena, type Arena } from './arena.ts';
import { FAMILIES } from './families.ts';
import { footprint, type Footprint } from './footprint.ts';
import type { HostileCase } from './hostile-case.ts';

const CONCURRENCY = 3;
const NOISE_MS = 5000;
const MEBIBYTE = 1_048_576;
/** What a process that was new may have grown by. */
const GROWTH = 100 * MEBIBYTE;

const ARENAS = [
  { name: 'all but memory', scriptMs: 1000, families: FAMILIES.filter(({ name }) => name !== 'memory') },
  // A bomb needs time to burst on a machine that is busy.
  { name: 'memory', scriptMs: 15_000, families: FAMILIES.filter(({ name }) => name === 'memory') },
];

describe.each(ARENAS)('$name', ({ families, scriptMs }) => {
  let arena: Arena;
  let before: Footprint;
  beforeAll(async () => {
    arena = await openArena({ families, scriptMs, noiseMs: NOISE_MS });
    await waitFor('some of the victim’s answers', () => arena.victim.sent > 50);
    before = footprint(arena.system);
  });
  afterAll(() => arena[Symbol.asyncDispose]());

  test.each(families)(
    '$name',
    async ({ cases }) => {
      expect(await attackAll(arena, cases)).toEqual([]);
      expect(arena.victim.failures).toEqual([]);
    },
    150_000,
  );

  test('afterwards all is as it was before', async () => {
    const { system, victim } = arena;
    await waitFor('all sandboxes', () => footprint(system).sandboxes === before.sandboxes);
    const { sent } = victim;
    await waitFor('some of the victim’s answers', () => victim.sent > sent + 50);
    expect(victim.failures).toEqual([]);
    await waitFor('memory to be given back', () => hasGivenBack(arena, before), { timeoutMs: 60_000 });
    const after = footprint(system);
    const { gateway, runners, sandboxes } = before;
    expect(after).toMatchObject({ gateway, runners, sandboxes });
    expect(after.descriptors).toBeLessThanOrEqual(before.descriptors + 8);
    expect(after.sandboxBytes).toBeLessThan(Number(LIMITS.SANDBOX_MEMORY_MB) * MEBIBYTE);
  }, 90_000);
});

/** V8 collects, and gives back, only while a process has something to do. */
async function hasGivenBack({ system, victim }: Arena, before: Footprint): Promise<boolean> {
  await Promise.all(Array.from({ length: 100 }, () => system.request({ hostname: victim.hostname })));
  const { gatewayBytes, runnerBytes } = footprint(system);
  return gatewayBytes < before.gatewayBytes + GROWTH && runnerBytes < before.runnerBytes + GROWTH;
}

/** @returns what was not as it has to be */
async function attackAll(arena: Arena, cases: readonly HostileCase[]): Promise<string[]> {
  const problems: string[] = [];
  const waiting = [...cases];
  const attacker = async (): Promise<void> => {
    for (let hostile = waiting.shift(); hostile; hostile = waiting.shift()) {
      const { problem, isRefused } = await arena.attack(hostile);
      if (problem !== undefined || isRefused) problems.push(`${hostile.name}: ${problem ?? 'refused'}`);
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, attacker));
  return problems;
}
