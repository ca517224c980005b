import { z } from 'zod';

const schema = z.object({
  /** The machine and the process, so that who started it can tell it apart. */
  host: z.string(),
  pid: z.int().positive(),
  /** What its sandboxes have around them. */
  level: z.string(),
  sandboxes: z.int().nonnegative(),
  busy: z.int().nonnegative(),
  /** Jobs in this runner's hands that no sandbox has taken yet. */
  waiting: z.int().nonnegative(),
  /** Jobs that it takes at most at a time, in a sandbox or not; not told by runners of an earlier version. */
  jobs: z.int().nonnegative().optional(),
  /** Tenants that used a sandbox of late. */
  tenants: z.int().nonnegative().optional(),
  /** Runs that ended of late, older ones counting less, and the time in sandboxes that they took, milliseconds. */
  runs: z.number().nonnegative(),
  busyMs: z.number().nonnegative(),
});

/** What a runner tells of itself with each heartbeat. */
export type RunnerState = Readonly<z.output<typeof schema>>;

export function encodeRunnerState(state: RunnerState): string {
  return JSON.stringify(state);
}

/** `undefined` for what is none, such as the state of a runner of another version. */
export function decodeRunnerState(text: string): RunnerState | undefined {
  try {
    return schema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}
