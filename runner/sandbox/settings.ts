/** What a sandbox is started with, its one argument. */
export interface SandboxSettings {
  /** Heap of one isolate, MiB. */
  readonly memoryMb: number;
  /** Globals that scripts are not to have. */
  readonly removed: readonly string[];
  /** Steps of the clock that scripts read, milliseconds; 0: it stands still. */
  readonly clockMs: number;
  /** Descriptors that the runner itself inherited and the sandbox must not keep. */
  readonly close: readonly number[];
}
