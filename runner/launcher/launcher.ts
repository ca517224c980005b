import { GRANTABLE, type Engine } from '../../shared/engine.ts';
import type { SandboxTask } from '../sandbox/settings.ts';
import type { Command } from '../spawner/command.ts';
import type { SpawnedProcess } from '../spawner/spawned-process.ts';
import { Spawner } from '../spawner/spawner.ts';
import { emptyDirectory } from './empty-directory.ts';
import { inheritedDescriptors } from './inherited.ts';
import { sandboxEntry, sandboxFlags } from './node-command.ts';
import { UserIds } from './user-ids.ts';
import type { Level, Walls } from './walls.ts';

/** How one sandbox process is started. */
export interface Launch extends Command {
  readonly forks: boolean;
  /** To be called when the process has ended. */
  readonly release: () => void;
}

/** Starts sandboxes behind the walls of one level. */
export class Launcher {
  readonly level: Level;
  /** The frame that its sandboxes are sent first, with the snapshot made by the one that was tried out (detect.ts). */
  greeting: Buffer = Buffer.alloc(0);
  readonly #walls: Walls;
  readonly #userIds: UserIds;
  readonly #engine: Engine;
  readonly #flags: readonly string[];
  readonly #close = inheritedDescriptors();
  readonly #spawner = new Spawner();

  constructor(level: Level, walls: Walls, options: { firstUserId: number; engine: Engine }) {
    this.level = level;
    this.#walls = walls;
    this.#engine = options.engine;
    this.#flags = sandboxFlags(options.engine);
    this.#userIds = new UserIds(options.firstUserId);
  }

  /** @param memoryMb heap of one isolate, MiB */
  sandbox(memoryMb: number, task: SandboxTask = 'run'): Launch {
    const { grants, clockMs } = this.#engine;
    const removed = GRANTABLE.filter((name) => !grants.includes(name));
    const settings = { task, memoryMb, removed, clockMs, close: this.#close };
    return this.node([...this.#flags, ...sandboxEntry(settings)]);
  }

  /** Node with any arguments, behind the same walls. */
  node(nodeArgs: readonly string[]): Launch {
    const { prefix, changesUser, filter, forks } = this.#walls;
    const userId = changesUser ? this.#userIds.take() : undefined;
    const [command, ...args] = [...prefix(userId), process.execPath, ...nodeArgs] as [string, ...string[]];
    return { command, args, cwd: emptyDirectory(), filter, forks, release: () => this.#release(userId) };
  }

  /**
   * Has a process started.
   *
   * @throws Error when there is no descriptor left for the one that starts the others; all else is told by `ended`
   */
  start({ command, args, cwd, filter, release }: Launch): SpawnedProcess {
    try {
      const spawned = this.#spawner.spawn({ command, args, cwd, filter });
      void spawned.ended.then(release);
      return spawned;
    } catch (error) {
      release();
      throw error;
    }
  }

  /** Ends all that it has started. */
  close(): void {
    this.#spawner.close();
  }

  #release(userId: number | undefined): void {
    if (userId !== undefined) this.#userIds.giveBack(userId);
  }
}
