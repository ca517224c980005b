import { hostname } from 'node:os';
import type { Logger } from '../../shared/log.ts';
import type { RunnerState } from '../../shared/runner-state.ts';
import type { Adapter } from './adapter.ts';
import type { StartedRunner } from './local-runner.ts';

/**
 * Runner processes on this machine. Those count that this process started, and those that were ever heard of from
 * here, as long as they live: so an autoscaler that comes after one that died finds its runners again, and a
 * Redis that forgot them does not double them. A runner that shall go gets SIGTERM: it takes no more jobs,
 * finishes those it has, and is heard of no more.
 */
export class LocalAdapter implements Adapter {
  readonly name = 'local';
  readonly startMs = 1000;
  readonly #heardOf: () => Promise<readonly RunnerState[]>;
  readonly #spawn: () => Promise<StartedRunner>;
  readonly #log: Logger;
  /** Process ids, in the order of their start or of being heard of. */
  readonly #known = new Set<number>();
  readonly #leaving = new Set<number>();

  /**
   * @param heardOf the runners that take jobs, wherever they are
   * @param spawn starts one
   */
  constructor(
    heardOf: () => Promise<readonly RunnerState[]>,
    spawn: () => Promise<StartedRunner>,
    log: Logger,
  ) {
    this.#heardOf = heardOf;
    this.#spawn = spawn;
    this.#log = log;
  }

  async count(): Promise<number> {
    return (await this.#pids()).length;
  }

  async scale(wanted: number): Promise<void> {
    const pids = await this.#pids();
    for (let i = pids.length; i < wanted; i++) await this.#start();
    // The youngest first.
    for (const pid of pids.slice(Math.max(0, wanted))) this.#drain(pid);
  }

  async #pids(): Promise<number[]> {
    for (const { host, pid } of await this.#heardOf()) {
      if (host === hostname() && !this.#leaving.has(pid)) this.#known.add(pid);
    }
    for (const pid of this.#known) if (!isAlive(pid)) this.#known.delete(pid);
    for (const pid of this.#leaving) if (!isAlive(pid)) this.#leaving.delete(pid);
    return [...this.#known];
  }

  async #start(): Promise<void> {
    const { pid, exited } = await this.#spawn();
    this.#known.add(pid);
    this.#log.info({ runner: pid }, 'started a runner');
    const onExit = (): void => {
      if (this.#known.delete(pid)) this.#log.warn({ runner: pid }, 'a runner ended that was not told to');
    };
    exited.then(onExit, onExit);
  }

  #drain(pid: number): void {
    this.#known.delete(pid);
    this.#leaving.add(pid);
    this.#log.info({ runner: pid }, 'draining a runner');
    process.kill(pid, 'SIGTERM');
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
