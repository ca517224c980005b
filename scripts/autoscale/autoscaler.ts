import type { Redis } from 'ioredis';
import { encodeAutoscalerState, type AutoscalerState } from '../../shared/autoscaler-state.ts';
import { RedisClock } from '../../shared/clock.ts';
import type { Config } from '../../shared/config.ts';
import type { Logger } from '../../shared/log.ts';
import { autoscalerKey } from '../../shared/queue.ts';
import { connectFailFast, connectWhenThere } from '../../shared/redis.ts';
import { readSignals, type QueueSignals } from '../../shared/signals.ts';
import type { Adapter } from './adapter.ts';
import { chooseAdapter } from './choose-adapter.ts';
import { arrivalRate, decide, NO_HISTORY, type Decision, type Limits } from './decide.ts';
import { ExpiringLock } from './lock.ts';

/** The lock and what is published outlive this many decisions that did not come. */
const TTL_INTERVALS = 5;
const SHORTEST_TTL_MS = 3000;

export interface Autoscaler {
  /** Decides no more. The runners stay as they are. */
  close(): Promise<void>;
}

/**
 * Starts deciding, every `AUTOSCALE_INTERVAL_MS`:
 *
 *     standby ⇄ (lock) count → signals → decide → scale → publish
 *
 * Whatever fails (Redis, the adapter) leaves the number of runners as it was, and is logged when it begins and
 * when it is over.
 *
 * @param adapter what to act on; by default what the configuration names
 */
export async function startAutoscaler(
  config: Config,
  log: Logger,
  adapter?: (redis: Redis) => Adapter,
): Promise<Autoscaler> {
  const redis = connectFailFast(config.REDIS_URL, log);
  await connectWhenThere(redis);
  const clock = new RedisClock(redis);
  await clock.start();
  const loop = new Loop(
    config,
    log,
    redis,
    clock,
    adapter ? adapter(redis) : chooseAdapter(config, redis, log),
  );
  loop.start();
  return {
    async close() {
      await loop.stop();
      clock.stop();
      redis.disconnect();
    },
  };
}

class Loop {
  readonly #config: Config;
  readonly #log: Logger;
  readonly #redis: Redis;
  readonly #clock: RedisClock;
  readonly #adapter: Adapter;
  readonly #limits: Limits;
  readonly #lock: ExpiringLock;
  readonly #ttlMs: number;
  #history = NO_HISTORY;
  #timer: NodeJS.Timeout | undefined;
  #turn: Promise<void> = Promise.resolve();
  #closed = false;
  #said = '';

  constructor(config: Config, log: Logger, redis: Redis, clock: RedisClock, adapter: Adapter) {
    this.#config = config;
    this.#log = log;
    this.#redis = redis;
    this.#clock = clock;
    this.#adapter = adapter;
    this.#limits = limitsOf(config, adapter);
    this.#ttlMs = Math.max(SHORTEST_TTL_MS, TTL_INTERVALS * config.AUTOSCALE_INTERVAL_MS);
    this.#lock = new ExpiringLock(redis, `${autoscalerKey(config.QUEUE_PREFIX)}:lock`, this.#ttlMs);
  }

  start(): void {
    this.#log.info({ adapter: this.#adapter.name, limits: this.#limits }, 'autoscaler decides');
    const next = (): void => {
      this.#turn = this.#takeTurn().finally(() => {
        if (!this.#closed) this.#timer = setTimeout(next, this.#config.AUTOSCALE_INTERVAL_MS);
      });
    };
    next();
  }

  async stop(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#turn;
    if (this.#redis.status === 'ready') await this.#lock.release().catch(() => undefined);
  }

  async #takeTurn(): Promise<void> {
    try {
      if (await this.#lock.hold()) await this.#act();
      else this.#standBy();
    } catch (error) {
      this.#say('hold: Redis does not answer', 'warn', { err: error });
    }
  }

  #standBy(): void {
    // What another one ordered meanwhile is not in this history.
    this.#history = NO_HISTORY;
    this.#say('standby: another autoscaler acts', 'info');
  }

  async #act(): Promise<void> {
    const signals = await readSignals(this.#redis, this.#config.QUEUE_PREFIX);
    const signal = AbortSignal.timeout(Math.floor(this.#lock.left));
    let current: number | null = null;
    let decision: Decision | undefined;
    try {
      current = await this.#adapter.count(signal);
      decision = this.#decide(current, signals);
      if (decision.wanted !== current) await this.#scale(current, decision, signal);
      await this.#publish(stateOf(decision), decision.reason, decision.wanted, current);
      this.#sayDecision(decision);
    } catch (error) {
      // Counted anew in the next turn: what was ordered may or may not have been done.
      const reason = error instanceof Error ? error.message : String(error);
      this.#say(`failing: the adapter ${this.#adapter.name} does not act`, 'error', { err: error });
      await this.#publish('failing', reason, decision?.wanted ?? null, current);
    }
  }

  #decide(current: number, { inHand, ...signals }: QueueSignals): Decision {
    const seen = { ...signals, waiting: signals.waiting + inHand };
    const now = this.#clock.now();
    const decision = decide({ now, current, signals: seen, limits: this.#limits, history: this.#history });
    this.#history = decision.history;
    return decision;
  }

  async #scale(current: number, { wanted, reason }: Decision, signal: AbortSignal): Promise<void> {
    if (this.#lock.left === 0) throw new Error('the lock was lost before acting');
    this.#log.info({ from: current, to: wanted, reason }, 'scaling runners');
    await this.#adapter.scale(wanted, signal);
  }

  async #publish(
    state: AutoscalerState['state'],
    reason: string,
    wanted: number | null,
    current: number | null,
  ): Promise<void> {
    const rate = arrivalRate(this.#history);
    const text = encodeAutoscalerState({
      adapter: this.#adapter.name,
      state,
      reason,
      wanted,
      current,
      arrivalRate: rate ?? null,
      at: this.#clock.now(),
    });
    await this.#lock.write(autoscalerKey(this.#config.QUEUE_PREFIX), text, this.#ttlMs);
  }

  #sayDecision({ action, reason }: Decision): void {
    if (action === 'hold') this.#say(`hold: ${reason.replace(/\d+ ms/, 'too')}`, 'warn');
    else this.#say('deciding', 'info');
  }

  /** Once, until something else is to be said. */
  #say(line: string, level: 'info' | 'warn' | 'error', details: object = {}): void {
    if (line === this.#said) return;
    this.#said = line;
    this.#log[level](details, line);
  }
}

function stateOf({ action }: Decision): AutoscalerState['state'] {
  return action === 'hold' ? 'hold' : 'deciding';
}

function limitsOf(config: Config, adapter: Adapter): Limits {
  return {
    targetWaitMs: config.TARGET_WAIT_MS,
    minRunners: config.MIN_RUNNERS,
    maxRunners: config.MAX_RUNNERS,
    startMs: config.AUTOSCALE_START_MS ?? adapter.startMs,
    quietMs: config.AUTOSCALE_QUIET_MS,
    idleMs: config.AUTOSCALE_IDLE_MS,
    intervalMs: config.AUTOSCALE_INTERVAL_MS,
    sandboxesPerRunner: config.RUNNER_SANDBOXES,
  };
}
