import { pino } from 'pino';
import type { ConsoleLine } from '../../runner/answer.ts';
import { createSandboxes } from '../../runner/create-sandboxes.ts';
import { runInSandbox, type RunInputs } from '../../runner/run.ts';
import { Stopwatch } from '../../runner/stopwatch.ts';
import { loadConfig } from '../../shared/config.ts';
import { toLC500Error, type ErrorCode } from '../../shared/errors.ts';
import type { RunTimings, ScriptResponse } from '../../shared/reply.ts';

/** Limits by the names of the environment variables that set them, such as `SCRIPT_TIMEOUT_MS`. */
export type Limits = Readonly<Record<string, number | string>>;

/** What became of a run: an answer, or a failure. */
export interface LocalRun {
  readonly answer: ScriptResponse | undefined;
  /** `message`: the script's own error with its stack, as the runner's log has it. */
  readonly failure: { readonly code: ErrorCode; readonly message: string } | undefined;
  readonly console: readonly ConsoleLine[];
  readonly timings: RunTimings;
}

/** No script may run longer than this, so that a configuration with any script time is a valid one. */
const LONGEST_MS = 600_000;

/**
 * Runs a script on this machine as a runner would: in a sandbox process of its own, its answer checked; without
 * queue, storage or gateway. Nothing of the environment is read.
 *
 * @throws ConfigError when a limit is none
 */
export async function runLocally(inputs: RunInputs, limits: Limits = {}): Promise<LocalRun> {
  const given = Object.entries(limits).map(([name, value]) => [name, String(value)] as const);
  const config = loadConfig({
    RUNNER_SANDBOXES: '1',
    REQUEST_DEADLINE_MS: String(LONGEST_MS),
    ...Object.fromEntries(given),
  });
  const { sandboxes } = await createSandboxes(config, pino({ level: 'silent' }));
  await sandboxes.start();
  const stopwatch = new Stopwatch();
  const never = new AbortController().signal;
  let console: readonly ConsoleLine[] = [];
  const take = (lines: readonly ConsoleLine[]): void => void (console = lines);
  try {
    const answer = await runInSandbox({ config, sandboxes }, inputs, never, stopwatch, take);
    return { answer, failure: undefined, console, timings: stopwatch.read() };
  } catch (thrown) {
    const { code, message } = toLC500Error(thrown);
    return { answer: undefined, failure: { code, message }, console, timings: stopwatch.read() };
  } finally {
    await sandboxes.close();
  }
}
