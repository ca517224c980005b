import type { Adapter } from './adapter.ts';

/** Acts on nothing: what is wanted is published, and somebody else reads it (Kubernetes does). */
export function createNoneAdapter(countRunners: () => Promise<number>): Adapter {
  let wanted: number | undefined;
  return {
    name: 'none',
    startMs: 15_000,
    // Whoever reads it may act late; what was wanted last is what is ordered.
    count: async () => wanted ?? (await countRunners()),
    scale: async (count) => void (wanted = count),
  };
}
