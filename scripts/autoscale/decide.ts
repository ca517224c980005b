/**
 * How many runners there should be: a pure function of what is seen, the limits, and what was seen before.
 *
 * **Work.** Requests that arrive at rate λ and keep a sandbox busy for s each keep λ·s sandboxes busy (Little's
 * law). λ is the mean over one start time D, at least 30 s: what comes while a runner starts is best guessed by
 * what came in as long a time before, and a burst counts as much as it weighs in that time, not as its peak.
 *
 * **Spare.** With c sandboxes and a of them busy on the mean, a request waits longer than t with a probability
 * of at most e^(-(c-a)·t/s) (the tail of the M/M/c queue). For 1 % at the target wait T, c - a must be ln(100)·s/T:
 * a number of sandboxes rather than a share of them.
 *
 * **Backlog.** To clear b waiting requests within a time t takes b·s/t sandboxes beyond the work. t is T, or D/2
 * where that is longer: a runner that works for less time than half its own start comes too late. What is taken
 * within half of T anyway is no backlog. So while those who run clear it themselves by the time that a new
 * runner could, nobody is started: bursts shorter than a start make no runners.
 *
 * **Up** at once, to need = ⌈(work + spare + backlog) / sandboxes of one runner⌉. **Down** by one a decision, when
 * nothing was started in the quiet time and no need in it was as high. There the need is taken with twice the
 * spare and a rate higher by 3·√N in N counted requests, the most by which chance leads a count astray: else what
 * is near a whole runner would be started and taken away by chance for ever.
 *
 * **Zero** (with a minimum of 0) when no request came for the idle time, and one at the first that comes.
 *
 * **Hold**, and say why, while signals are missing, older than three intervals, or make no sense.
 */
export function decide(input: Input): Decision {
  const { signals, history, limits } = input;
  const reason = unusable(input);
  if (reason !== undefined || !signals) {
    return { wanted: input.current, action: 'hold', reason: reason ?? 'no signals', history };
  }
  const seen = remember(input, signals);
  const load = measure(seen, limits);
  if (!load) return { wanted: input.current, action: 'hold', reason: 'too little seen', history: seen };
  const need = needs(load, signals, seen, limits);
  return choose(input, { ...seen, needs: [...seen.needs, { at: input.now, runners: need.cautious }] }, need);
}

/** What Redis tells at one moment. */
export interface Signals {
  /** Redis's clock, milliseconds. */
  readonly at: number;
  /** Requests that no sandbox has taken yet. */
  readonly waiting: number;
  /** Asynchronous requests that wait or run: they want one runner, and wait for what it has to spare. */
  readonly asynchronous?: number;
  /** Requests that have ever come, a counter. */
  readonly arrived: number;
  /** Mean time in a sandbox of late, milliseconds; `undefined`: nothing was run. */
  readonly serviceMs: number | undefined;
  /** Runners that take jobs, and their sandboxes together. */
  readonly runners: number;
  readonly sandboxes: number;
}

export interface Limits {
  readonly targetWaitMs: number;
  readonly minRunners: number;
  readonly maxRunners: number;
  /** From the order to a runner that takes jobs. */
  readonly startMs: number;
  /** How long the need must be lower before a runner is taken away. */
  readonly quietMs: number;
  /** How long nothing must come before the last one is. */
  readonly idleMs: number;
  readonly intervalMs: number;
  /** What one runner is taken to have until one is seen. */
  readonly sandboxesPerRunner: number;
}

/** What was seen before, as far as it matters. */
export interface History {
  readonly counts: readonly { readonly at: number; readonly arrived: number }[];
  readonly needs: readonly { readonly at: number; readonly runners: number }[];
  readonly serviceMs: number;
  readonly sandboxesPerRunner: number | undefined;
  readonly lastArrivalAt: number;
  readonly lastUpAt: number;
}

/** One time for the first requests that nobody has measured yet: short scripts are the rule. */
const FIRST_GUESS_MS = 10;

export const NO_HISTORY: History = {
  counts: [],
  needs: [],
  serviceMs: FIRST_GUESS_MS,
  sandboxesPerRunner: undefined,
  lastArrivalAt: -Infinity,
  lastUpAt: -Infinity,
};

export interface Input {
  /** Redis's clock, milliseconds. */
  readonly now: number;
  /** Runners that are ordered, whether they have come or not. */
  readonly current: number;
  readonly signals: Signals | undefined;
  readonly limits: Limits;
  readonly history: History;
}

export interface Decision {
  readonly wanted: number;
  readonly action: 'up' | 'down' | 'stay' | 'hold';
  /** For the log: why. */
  readonly reason: string;
  readonly history: History;
}

/** A shorter time tells too little of a rate. */
const RATE_WINDOW_MS = 30_000;
/** 1 % of the requests may wait longer than the target. */
const SPARE = Math.log(100);
const OLD_AFTER_INTERVALS = 3;
/** Standard deviations by which a rate may be higher than it was counted. */
const DOUBT = 3;
/** To take one away, this much of the spare must stay. */
const SPARES_TO_GO_DOWN = 2;

function unusable({ now, signals, limits, current }: Input): string | undefined {
  if (!signals) return 'the signals are missing';
  const age = now - signals.at;
  if (age > OLD_AFTER_INTERVALS * limits.intervalMs) return `the signals are ${Math.round(age)} ms old`;
  const figures = [signals.waiting, signals.arrived, signals.runners, signals.sandboxes];
  if (figures.some((figure) => !(figure >= 0 && figure < Infinity))) return 'the signals make no sense';
  // Redis was emptied, or runners cannot reach it: what they do is not known.
  if (signals.runners === 0 && current > 0 && signals.waiting === 0) return 'no runner is heard of';
  return undefined;
}

function remember({ history, limits, current }: Input, signals: Signals): History {
  const { at, arrived, serviceMs, runners, sandboxes, waiting, asynchronous = 0 } = signals;
  const last = history.counts.at(-1);
  // A counter that has gone back began anew.
  const counts = last && arrived < last.arrived ? [] : history.counts;
  // One sample from before the window is kept, so that the window is filled.
  const first = counts.findLastIndex((count) => count.at <= at - rateWindow(limits));
  // What runs when this begins to look is given its idle time.
  const isInUse = waiting + asynchronous > 0 || (last ? arrived !== last.arrived : current > 0);
  return {
    ...history,
    counts: [...counts.slice(Math.max(first, 0)), { at, arrived }],
    needs: history.needs.filter((need) => need.at > at - limits.quietMs),
    serviceMs: serviceMs ?? history.serviceMs,
    sandboxesPerRunner: runners > 0 && sandboxes > 0 ? sandboxes / runners : history.sandboxesPerRunner,
    lastArrivalAt: isInUse ? at : history.lastArrivalAt,
  };
}

function rateWindow(limits: Limits): number {
  return Math.max(limits.startMs, RATE_WINDOW_MS);
}

interface Load {
  /** Requests a millisecond. */
  readonly rate: number;
  /** What the rate may be off by. */
  readonly doubt: number;
}

function measure({ counts }: History, { startMs }: Limits): Load | undefined {
  const [first, last] = [counts[0], counts.at(-1)];
  if (!first || !last || last.at <= first.at) return undefined;
  const requests = last.arrived - first.arrived;
  const elapsed = Math.max(last.at - first.at, Math.min(startMs, 1000));
  return { rate: requests / elapsed, doubt: (DOUBT * Math.sqrt(requests)) / elapsed };
}

/** Requests a second, as far as they were counted. */
export function arrivalRate({ counts }: History): number | undefined {
  const [first, last] = [counts[0], counts.at(-1)];
  if (!first || !last || last.at <= first.at) return undefined;
  return ((last.arrived - first.arrived) / (last.at - first.at)) * 1000;
}

interface Need {
  readonly now: number;
  /** The most that it may be when chance was kind to the count. */
  readonly cautious: number;
  /** In sandboxes, for a reader. */
  readonly text: string;
}

function needs({ rate, doubt }: Load, signals: Signals, seen: History, limits: Limits): Need {
  const { targetWaitMs, startMs } = limits;
  const { serviceMs } = seen;
  const taken = (signals.sandboxes * targetWaitMs) / 2 / serviceMs;
  const late = Math.max(0, signals.waiting - taken);
  const backlog = (late * serviceMs) / Math.max(targetWaitMs, startMs / 2);
  const spare = (SPARE * serviceMs) / targetWaitMs;
  const work = rate * serviceMs;
  const mostWork = (rate + doubt) * serviceMs;
  const inUse = seen.lastArrivalAt > signals.at - limits.idleMs;
  const runners = (sandboxes: number, spares: number): number => {
    const perRunner = seen.sandboxesPerRunner ?? limits.sandboxesPerRunner;
    const filled = sandboxes > 0 ? Math.ceil((sandboxes + spares * spare) / perRunner) : 0;
    return Math.min(limits.maxRunners, Math.max(limits.minRunners, filled, inUse ? 1 : 0));
  };
  const figures = { work, spare, backlog };
  return {
    now: runners(work + backlog, 1),
    cautious: runners(mostWork + backlog, SPARES_TO_GO_DOWN),
    text: Object.entries(figures)
      .map(([name, sandboxes]) => `${name} ${sandboxes.toFixed(2)}`)
      .join(' + '),
  };
}

function choose({ current, now, limits }: Input, history: History, need: Need): Decision {
  if (need.now > current) {
    return { wanted: need.now, action: 'up', reason: need.text, history: { ...history, lastUpAt: now } };
  }
  const highest = Math.max(...history.needs.map(({ runners }) => runners));
  const isQuiet = history.lastUpAt <= now - limits.quietMs && fills(history, now, limits);
  if (current > limits.maxRunners || (highest < current && isQuiet)) {
    return { wanted: current - 1, action: 'down', reason: need.text, history };
  }
  return { wanted: current, action: 'stay', reason: need.text, history };
}

/** Whether the needs that are known reach back over the whole quiet time, but for one interval. */
function fills({ needs: known }: History, now: number, { quietMs, intervalMs }: Limits): boolean {
  return (known[0]?.at ?? now) <= now - quietMs + 2 * intervalMs;
}
