import { exponential, resampled, seededRandom, serviceTime } from './random.ts';
import { Heap } from './heap.ts';
import { Quantiles } from './quantiles.ts';
import type { Trace } from './traces.ts';

/** What a rule sees. Times in milliseconds, simulated. */
export interface View {
  readonly now: number;
  readonly ordered: number;
  readonly runners: number;
  readonly waiting: number;
  readonly busy: number;
  readonly arrived: number;
  readonly serviceMs: number | undefined;
}

/** A rule that says how many runners there should be, asked every `intervalMs`. */
export interface Rule {
  readonly name: string;
  readonly intervalMs: number;
  readonly initial: number;
  wanted(view: View): number;
}

export interface Scene {
  readonly trace: Trace;
  readonly startMs: number;
  readonly sandboxesPerRunner: number;
  readonly serviceMs: number;
  /** Coefficient of variation of the service time. */
  readonly spread: number;
  /** Measured times in a sandbox, in their order, to be resampled in place of that distribution. */
  readonly measured?: readonly number[];
  /** A request that waited longer is dropped: nobody waits for it any more. */
  readonly deadlineMs: number;
  /** After a change of load, how long its waits do not count against the target. */
  readonly reactionMs: number;
  readonly seed: number;
}

/** One point of the timeline. */
export interface Point {
  readonly at: number;
  readonly rate: number;
  readonly runners: number;
  readonly p99: number;
}

export interface Result {
  readonly requests: number;
  readonly dropped: number;
  /** Of those that came when nothing had just changed. */
  readonly droppedSettled: number;
  /** From the order to the end, which is what is paid for. */
  readonly runnerHours: number;
  readonly p99: number;
  readonly p99Settled: number;
  readonly reversals: number;
  readonly timeline: readonly Point[];
}

const POINTS = 240;

/**
 * A queue before a changing number of sandboxes, first come, first served, event by event: a request comes, a
 * sandbox becomes free, the rule is asked, a runner that was ordered is ready. A runner that is taken away
 * finishes what it runs.
 */
export function simulate(scene: Scene, rule: Rule): Result {
  return new Simulation(scene, rule).run();
}

class Simulation {
  readonly #scene: Scene;
  readonly #rule: Rule;
  readonly #arrivals: () => number;
  readonly #services: () => number;
  readonly #end: number;
  readonly #free = new Heap();
  /** Times of arrival of those who wait, from `#head` on. */
  #queue: number[] = [];
  #head = 0;
  #runners: number;
  #ordered: number;
  #starts: number[] = [];
  #busy = 0;
  #arrived = 0;
  #dropped = 0;
  #droppedSettled = 0;
  #served = { count: 0, time: 0 };
  #runnerTime = 0;
  #direction = 0;
  #reversals = 0;
  readonly #all = new Quantiles();
  readonly #settled = new Quantiles();
  #recent = new Quantiles();
  readonly #timeline: Point[] = [];

  constructor(scene: Scene, rule: Rule) {
    this.#scene = scene;
    this.#rule = rule;
    this.#end = scene.trace.seconds * 1000;
    this.#arrivals = seededRandom(scene.seed);
    const random = seededRandom(scene.seed ^ 0x5eed);
    this.#services = scene.measured
      ? resampled(random, scene.measured)
      : () => serviceTime(random, scene.serviceMs, scene.spread);
    this.#runners = rule.initial;
    this.#ordered = rule.initial;
  }

  run(): Result {
    const pointMs = this.#end / POINTS;
    let [arrival, tick, point] = [this.#nextArrival(0), this.#rule.intervalMs, pointMs];
    for (;;) {
      const ready = this.#starts[0] ?? Infinity;
      const now = Math.min(arrival, this.#free.smallest, tick, ready, point);
      if (now > this.#end) break;
      if (now === this.#free.smallest) this.#finish(now);
      else if (now === arrival) {
        this.#arrive(now);
        arrival = this.#nextArrival(now);
      } else if (now === ready) this.#start(now);
      else if (now === tick) {
        this.#ask(now);
        tick += this.#rule.intervalMs;
      } else {
        this.#draw(now, pointMs);
        point += pointMs;
      }
    }
    return this.#result();
  }

  /** The rate is taken where the pause begins, and changes slowly against it; a pause is at most a second. */
  #nextArrival(now: number): number {
    for (let from = now; ; from += 1000) {
      const rate = this.#scene.trace.rate(from / 1000) / 1000;
      const pause = exponential(this.#arrivals, 1 / rate);
      if (pause <= 1000 || from > this.#end) return from + pause;
    }
  }

  #arrive(now: number): void {
    this.#arrived++;
    this.#queue.push(now);
    this.#take(now);
  }

  #finish(now: number): void {
    this.#free.pop();
    this.#busy--;
    this.#take(now);
  }

  #start(now: number): void {
    this.#starts.shift();
    this.#runners++;
    this.#take(now);
  }

  #take(now: number): void {
    const { sandboxesPerRunner, deadlineMs } = this.#scene;
    while (this.#busy < this.#runners * sandboxesPerRunner && this.#head < this.#queue.length) {
      const came = this.#queue[this.#head++] as number;
      const wait = now - came;
      this.#record(came, wait);
      if (wait > deadlineMs) continue;
      const service = this.#services();
      this.#served.count++;
      this.#served.time += service;
      this.#busy++;
      this.#free.push(now + service);
    }
    if (this.#head > 4096 && this.#head * 2 > this.#queue.length) {
      this.#queue = this.#queue.slice(this.#head);
      this.#head = 0;
    }
  }

  #record(came: number, wait: number): void {
    const { trace, reactionMs, deadlineMs } = this.#scene;
    const isSettled = trace.changes.every(
      ({ from, to }) => came < from * 1000 || came >= to * 1000 + reactionMs,
    );
    this.#all.add(wait);
    this.#recent.add(wait);
    if (isSettled) this.#settled.add(wait);
    if (wait <= deadlineMs) return;
    this.#dropped++;
    if (isSettled) this.#droppedSettled++;
  }

  #ask(now: number): void {
    this.#expire(now);
    const { count, time } = this.#served;
    const wanted = this.#rule.wanted({
      now,
      ordered: this.#ordered,
      runners: this.#runners,
      waiting: this.#queue.length - this.#head,
      busy: this.#busy,
      arrived: this.#arrived,
      serviceMs: count > 0 ? time / count : undefined,
    });
    // Half of what is known is forgotten in every 15 s or so.
    const kept = 0.5 ** (this.#rule.intervalMs / 15_000);
    this.#served = { count: count * kept, time: time * kept };
    this.#runnerTime += this.#ordered * this.#rule.intervalMs;
    this.#order(now, wanted);
  }

  /** Whose time is over is dropped when a runner comes upon it; a queue without runners keeps it. */
  #expire(now: number): void {
    if (this.#runners === 0) return;
    const { deadlineMs } = this.#scene;
    while (this.#head < this.#queue.length && now - (this.#queue[this.#head] as number) > deadlineMs) {
      const came = this.#queue[this.#head++] as number;
      this.#record(came, now - came);
    }
  }

  #order(now: number, wanted: number): void {
    const change = wanted - this.#ordered;
    if (change === 0) return;
    const direction = Math.sign(change);
    if (this.#direction !== 0 && direction !== this.#direction) this.#reversals++;
    this.#direction = direction;
    this.#ordered = wanted;
    for (let i = 0; i < change; i++) this.#starts.push(now + this.#scene.startMs);
    for (let i = 0; i > change; i--) {
      // What has not come yet is called off first.
      if (this.#starts.pop() === undefined) this.#runners--;
    }
  }

  #draw(now: number, pointMs: number): void {
    this.#timeline.push({
      at: now / 1000,
      rate: this.#scene.trace.rate((now - pointMs / 2) / 1000),
      runners: this.#ordered,
      p99: this.#recent.at(0.99),
    });
    this.#recent = new Quantiles();
  }

  #result(): Result {
    return {
      requests: this.#arrived,
      dropped: this.#dropped,
      droppedSettled: this.#droppedSettled,
      runnerHours: this.#runnerTime / 3_600_000,
      p99: this.#all.at(0.99),
      p99Settled: this.#settled.at(0.99),
      reversals: this.#reversals,
      timeline: this.#timeline,
    };
  }
}
