/** A change that is over when it begins, or one that takes its time. */
interface Change {
  readonly from: number;
  readonly to: number;
}

/** How much load comes when. */
export interface Trace {
  readonly name: string;
  readonly seconds: number;
  /** Requests a second at a time, in seconds from the beginning. */
  rate(now: number): number;
  /** When the load really changes its level or direction, seconds; the beginning is the first time. */
  readonly changes: readonly Change[];
}

const HOUR = 3600;
const LOW = 25;

/** The traces of the comparison; levels are such that one to some tens of runners serve them. */
export const TRACES: readonly Trace[] = [
  { name: 'steady', seconds: 2 * HOUR, rate: () => 8 * LOW, changes: [at(0)] },
  {
    name: 'step x10',
    seconds: 2 * HOUR,
    rate: (now) => (now < HOUR / 2 || now >= 1.5 * HOUR ? LOW : 10 * LOW),
    changes: [at(0), at(HOUR / 2), at(1.5 * HOUR)],
  },
  {
    name: 'sine, a day',
    seconds: 24 * HOUR,
    rate: (now) => 5 * LOW * (1 - 0.8 * Math.cos((2 * Math.PI * now) / (24 * HOUR))),
    changes: [at(0), at(12 * HOUR)],
  },
  {
    name: 'flash crowd x50',
    seconds: 2 * HOUR,
    rate: flashCrowd,
    changes: [at(0), { from: HOUR / 2, to: HOUR / 2 + 60 }, at(HOUR / 2 + 660)],
  },
  {
    name: 'on/off',
    seconds: 2 * HOUR,
    rate: (now) => (Math.floor(now / 600) % 2 === 0 ? LOW / 5 : 10 * LOW),
    changes: Array.from({ length: 12 }, (_, i) => at(i * 600)),
  },
];

function at(seconds: number): Change {
  return { from: seconds, to: seconds };
}

/** A link becomes known: within a minute fifty times as many, for ten minutes, and then ever fewer. */
function flashCrowd(now: number): number {
  const since = now - HOUR / 2;
  if (since < 0) return LOW;
  if (since < 60) return LOW * (1 + (49 * since) / 60);
  if (since < 660) return 50 * LOW;
  return LOW * (1 + 49 * Math.exp(-(since - 660) / 600));
}
