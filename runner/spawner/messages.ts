import type { Command } from './command.ts';

/** As the system calls it, 15 bytes at most: proc_pid_comm(5). */
export const SPAWNER_NAME = 'lc500-spawner';

/** How a process ended, or why there was none. */
export interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly error?: Error;
}

/** What a runner sends to its spawner. The number is of its own choice and stands for one process. */
export type ToSpawner =
  | { readonly type: 'spawn'; readonly id: number; readonly command: Command }
  | { readonly type: 'taken'; readonly id: number }
  | { readonly type: 'kill'; readonly id: number };

/**
 * What a spawner sends to its runner:
 *
 *     (spawn) → pipe → (taken) → started → stderr* → ended
 *
 * Of what the process says on standard error the last may be lost. `pipe` comes with the socket itself, and what is
 * written into that before `started` may be read by the spawner.
 */
export type FromSpawner =
  | { readonly type: 'pipe'; readonly id: number }
  | { readonly type: 'started'; readonly id: number; readonly pid: number }
  | { readonly type: 'stderr'; readonly id: number; readonly text: string }
  | { readonly type: 'ended'; readonly id: number; readonly ending: Ending };
