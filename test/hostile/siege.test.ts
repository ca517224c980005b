import { expect, test } from 'vitest';
import { LIMITS, openArena } from './arena.ts';
import { FAMILIES, ORDINARY } from './families.ts';
import { besiege } from './siege.ts';
import { siegeReport } from './siege-report.ts';

/** Set by `npm run test:hostile` (test/hostile/main.ts). */
const MINUTES = Number(process.env['HOSTILE_MINUTES'] ?? 0);
const SEED = Number(process.env['HOSTILE_SEED'] ?? 1);
/** Long enough for bombs to burst beside all the rest. */
const SCRIPT_MS = 3000;
const NOISE_MS = 2000;
const GROWTH = 100 * 1_048_576;
/** Beside the random order: a safety limit, of which a quarter is used. */
const OTHER_MINUTES = 100;

test.runIf(MINUTES > 0)(
  'the whole matrix, over and over',
  { timeout: (MINUTES + OTHER_MINUTES) * 60_000 },
  async () => {
    await using arena = await openArena({
      families: [ORDINARY, ...FAMILIES],
      scriptMs: SCRIPT_MS,
      noiseMs: NOISE_MS,
    });
    const siege = await besiege(arena, FAMILIES, MINUTES, SEED);
    console.log(siegeReport(siege, arena, Number(LIMITS.SANDBOX_MEMORY_MB), MINUTES));
    const tallies = [
      ...[siege.ordinary, ...siege.families.values()].flatMap(({ byOne, byAll }) => [byOne, byAll]),
      siege.mixed,
    ];
    const problems = tallies.flatMap((tally) => tally.problems);
    expect({ problems, failures: arena.victim.failures }).toEqual({ problems: [], failures: [] });
    const { gateway, runners, sandboxes } = siege.before;
    expect(siege.after).toMatchObject({ gateway, runners, sandboxes });
    expect(siege.after.descriptors).toBeLessThanOrEqual(siege.before.descriptors + 8);
    expect(siege.after.runnerBytes).toBeLessThan(siege.before.runnerBytes + GROWTH);
    expect(siege.after.gatewayBytes).toBeLessThan(siege.before.gatewayBytes + GROWTH);
  },
);
