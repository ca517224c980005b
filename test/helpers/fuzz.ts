import * as fc from 'fast-check';

/** The suite takes the same inputs every time; a long run (`npm run fuzz`) takes others, from a seed that it prints. */
const RUNS = Number(process.env['FUZZ_RUNS'] ?? 300);
const isLong = process.env['FUZZ_RUNS'] !== undefined;
const SEED = Number(process.env['FUZZ_SEED'] ?? (isLong ? Date.now() % 2 ** 31 : 1));
if (isLong) console.log(`fuzz: ${RUNS} runs each; the same again: FUZZ_SEED=${SEED} npm run fuzz`);

/** Holds a property against many inputs. @throws Error with the smallest input that breaks it, and the seed */
export function fuzz<T>(arbitrary: fc.Arbitrary<T>, property: (input: T) => void): void {
  fc.assert(fc.property(arbitrary, property), { seed: SEED, numRuns: RUNS });
}

/** `fuzz` for what takes longer: a tenth of the inputs. */
export async function fuzzSlowly<T>(
  arbitrary: fc.Arbitrary<T>,
  property: (input: T) => Promise<void>,
): Promise<void> {
  await fc.assert(fc.asyncProperty(arbitrary, property), { seed: SEED, numRuns: Math.ceil(RUNS / 10) });
}

/** What was thrown, or `undefined`. */
export function thrownBy(action: () => unknown): unknown {
  try {
    action();
    return undefined;
  } catch (error) {
    return error;
  }
}

/** A valid value with one field, at any depth, replaced by anything. */
export function damaged(value: object): fc.Arbitrary<unknown> {
  return fc.tuple(fc.nat(), anyJson).map(([at, replacement]) => {
    const copy = structuredClone(value) as Record<string, unknown>;
    const places = placesIn(copy);
    const [holder, key] = places[at % places.length] as [Record<string, unknown>, string];
    holder[key] = replacement;
    return copy;
  });
}

function placesIn(value: Record<string, unknown>): [Record<string, unknown>, string][] {
  return Object.entries(value).flatMap(([key, inner]): [Record<string, unknown>, string][] => [
    [value, key],
    ...(typeof inner === 'object' && inner !== null ? placesIn(inner as Record<string, unknown>) : []),
  ]);
}

/** JSON with a liking for what trips JavaScript up. */
export const anyJson: fc.Arbitrary<unknown> = fc.oneof(
  fc.jsonValue(),
  fc.constantFrom(null, '', -0, 1e308, [], {}, [[]], { toString: null, valueOf: null }, { length: -1 }),
  fc.dictionary(fc.constantFrom('__proto__', 'constructor', 'toString', 'toJSON', 'length'), fc.jsonValue()),
);
