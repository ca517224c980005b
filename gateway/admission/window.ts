/** What the runners can do for this gateway, and how it is used. */
export interface Room {
  /** Of all runners. */
  readonly sandboxes: number;
  /** Jobs that all runners take at a time, in a sandbox or not. */
  readonly jobs: number;
  /** Gateways that share them. */
  readonly gateways: number;
  /** Whether jobs also wait for a blueprint while a runner has them. */
  readonly hasBlueprints: boolean;
  /** Whether other tenants want sandboxes as well, and this one brings much more work than they do. */
  readonly isFlood: boolean;
}

/**
 * Work that a tenant may have in the queue beyond what runs, milliseconds: enough that no sandbox waits for it, and
 * too little for others to wait behind it. With blueprints jobs wait for those, too.
 */
const AHEAD_MS = { withoutBlueprints: 10, withBlueprints: 1000 };
/** Of the jobs that runners hold beside running ones this part may be one tenant's, so that others' come to hand. */
const PART_OF_HANDS = 2 / 3;

/**
 * How many jobs of a tenant may be in the queue and in runners' hands at a time. What it has beyond that waits in
 * the gateway, where it is in nobody's way.
 *
 * @param meanMs what one of its jobs takes in a sandbox; `undefined`: nobody knows, it might be for ever
 */
export function windowOf(room: Room, meanMs: number | undefined): number {
  const sandboxes = room.sandboxes / room.gateways;
  const hands = Math.max(0, room.jobs - room.sandboxes) / room.gateways;
  const most = PART_OF_HANDS * hands;
  const aheadMs = room.hasBlueprints ? AHEAD_MS.withBlueprints : AHEAD_MS.withoutBlueprints;
  const useful = meanMs === undefined ? most / 2 : Math.min(most, (sandboxes * aheadMs) / meanMs);
  // Where others want sandboxes, a flood has none beyond those: every process on the way takes up all that has come,
  // and what is brief in a sandbox is not so in them. The tenant gets a tenth less done (`npm run bench:share`). Without
  // a runner there must be one all the same, or the queue would be empty and nobody start one.
  if (room.isFlood && !room.hasBlueprints) return Math.max(1, Math.ceil(sandboxes));
  return Math.ceil(sandboxes) + Math.max(1, Math.floor(useful));
}
