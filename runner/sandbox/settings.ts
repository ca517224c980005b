/**
 * What a sandbox process is there for: to run jobs, one after another; to make the snapshot that all isolates start
 * from; or to compile one script without running it. The snapshot is the first thing that the others are sent.
 */
export type SandboxTask = 'run' | 'snapshot' | 'compile';

/** What a sandbox is started with, its one argument. */
export interface SandboxSettings {
  readonly task: SandboxTask;
  /** Heap of one isolate, MiB. */
  readonly memoryMb: number;
  /** Globals that scripts are not to have. */
  readonly removed: readonly string[];
  /** Steps of the clock that scripts read, milliseconds; 0: it stands still. */
  readonly clockMs: number;
  /** Descriptors that the runner itself inherited and the sandbox must not keep. */
  readonly close: readonly number[];
}
