/** What a sandbox is started with, its one argument. */
export interface SandboxSettings {
  /** Heap of one isolate, MiB. */
  readonly memoryMb: number;
  /** Descriptors that the runner itself inherited and the sandbox must not keep. */
  readonly close: readonly number[];
}
