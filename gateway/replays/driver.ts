import { setTimeout as delay } from 'node:timers/promises';
import { nanoid } from 'nanoid';
import type { Logger } from '../../shared/log.ts';
import { AdminProblem } from '../admin/problems.ts';
import type { Next, Run, RunStore } from './run-store.ts';
import { startReplay, type ReplayDeps } from './start-replay.ts';

/** How often a gateway looks for runs that nobody drives. */
const LOOK_MS = 1000;
/** A gateway that was not heard of for this long drives no more. */
const HOLD_MS = 5000;
const RETRY_MS = 1000;
/** Replays of one run that may be under way: a run that is stopped ends soon, and live traffic is not crowded out. */
const MOST_UNDER_WAY = 50;
const WAIT_MS = 100;

/**
 * Drives replays of many at their rates. Each run is driven by one gateway; when that one dies, another one takes
 * over where it was. The invocation that a record's replay becomes has an id that follows from the run and the
 * place, so one that was begun just before the end is not begun a second time.
 */
export class ReplayDriver {
  readonly #deps: ReplayDeps;
  readonly #runs: RunStore;
  readonly #log: Logger;
  readonly #name = nanoid();
  readonly #driving = new Map<string, Promise<void>>();
  readonly #end = new AbortController();
  readonly #timer: NodeJS.Timeout;

  constructor(deps: ReplayDeps, runs: RunStore, log: Logger) {
    this.#deps = deps;
    this.#runs = runs;
    this.#log = log;
    this.#timer = setInterval(() => void this.look(), LOOK_MS);
    this.#timer.unref();
  }

  /** Takes up what nobody drives. Never throws */
  async look(): Promise<void> {
    // While Redis is away there is nothing to be driven.
    const ids = await this.#runs.active().catch(() => []);
    for (const id of ids) {
      if (this.#driving.has(id) || this.#end.signal.aborted) continue;
      const drive = this.#drive(id)
        .catch((error: unknown) => this.#log.warn({ err: error, run: id }, 'a replay of many waits'))
        .finally(() => this.#driving.delete(id));
      this.#driving.set(id, drive);
    }
  }

  /** Others go on with what was driven here. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#end.abort();
    await Promise.all(this.#driving.values());
  }

  async #drive(id: string): Promise<void> {
    const runs = this.#runs;
    let next = performance.now();
    while (!this.#end.signal.aborted && (await runs.hold(id, this.#name, HOLD_MS))) {
      const [run, first] = await Promise.all([runs.get(id), runs.next(id)]);
      if (!run || !first || run.state !== 'running') {
        await runs.forget(id);
        break;
      }
      const early = next - performance.now();
      if (early > 0) await this.#wait(Math.min(early, LOOK_MS));
      else if (run.begun - run.done >= MOST_UNDER_WAY) await this.#wait(WAIT_MS);
      // What was missed of late is made up for, what was missed before is not.
      else if (await this.#one(id, run, first))
        next = Math.max(next, performance.now() - 1000) + 1000 / run.order.rate;
    }
    await runs.letGo(id, this.#name);
  }

  /** @returns false when it was skipped, or has to be tried again */
  async #one(run: string, { order }: Run, next: Next): Promise<boolean> {
    const { store } = this.#deps;
    const id = `${run}-${next.place}`;
    try {
      const record = await store.get(next.of);
      if (!record) throw new AdminProblem('not_found', 'it is gone by now');
      // It may have been begun, and even have ended, before a gateway died.
      if (!(await store.has(id)))
        await startReplay(this.#deps, record, { ...order, again: false }, { id, run });
    } catch (error) {
      const code = error instanceof AdminProblem ? error.code : 'queue_unavailable';
      if (code !== 'queue_unavailable' && code !== 'storage_unavailable') {
        await this.#runs.advance(run, next, code);
        return false;
      }
      this.#log.warn({ err: error, run }, 'a replay could not be begun; trying again');
      await this.#wait(RETRY_MS);
      return false;
    }
    await this.#runs.advance(run, next);
    return true;
  }

  async #wait(ms: number): Promise<void> {
    if (ms > 0) await delay(ms, undefined, { signal: this.#end.signal }).catch(() => undefined);
  }
}
