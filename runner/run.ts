import { LC500Error } from '../shared/errors.ts';
import type { Invocation, InvocationRequest } from '../shared/invocation.ts';
import type { ScriptResponse } from '../shared/reply.ts';
import type { Config } from '../shared/config.ts';
import { checkAnswer, consoleLines, MAX_HEADERS, type ConsoleLine } from './answer.ts';
import type { Blueprint } from './blueprint.ts';
import type { ProcessorContext } from './processor.ts';
import type { SandboxOutcome } from './sandbox-process.ts';
import type { Sandboxes } from './sandboxes.ts';
import { encodeJob } from './sandbox/protocol.ts';
import type { Stopwatch } from './stopwatch.ts';
import type { RunTrace } from './trace.ts';

/**
 * Script and blueprint are obtained at the same time, an isolate has been ready before; then the script runs.
 *
 * @param signal the end of the invocation's time
 * @throws LC500Error for everything that is not an answer of the script's own
 */
export async function runScript(
  context: ProcessorContext,
  invocation: Invocation,
  signal: AbortSignal,
  stopwatch: Stopwatch,
  trace: RunTrace,
): Promise<ScriptResponse> {
  const { config, scripts, blueprints, sandboxes } = context;
  const [script, blueprint] = await Promise.all([
    (trace.script = scripts.get(invocation.scriptKey, signal)),
    (trace.blueprint = blueprints.fetch(invocation, signal)),
  ]);
  if (script.staleMs !== undefined) stopwatch.servedStale(script.staleMs);
  const { request, hostname: tenant } = invocation;
  const isAsync = (invocation.async ?? invocation.replay?.isAsync) !== undefined;
  const code = context.codeCache.of(script.source);
  const run = { request, script: script.source, code, blueprint, tenant, isAsync };
  return runInSandbox({ config, sandboxes }, run, signal, stopwatch, (lines) => trace.onConsole(lines));
}

/** All that a script's answer depends on, beside the limits. */
export interface RunInputs {
  readonly request: InvocationRequest;
  readonly script: Buffer;
  readonly blueprint: Blueprint;
  /** What V8 made of this very script before (runner/code-cache.ts). */
  readonly code?: Buffer | undefined;
  /** In whose turn it is run. */
  readonly tenant?: string;
  /** It is an asynchronous request's, whose script has more time. */
  readonly isAsync?: boolean;
}

/**
 * Runs a script in the next free sandbox and checks its answer.
 *
 * @throws LC500Error as `runScript` does
 */
export async function runInSandbox(
  { config, sandboxes }: { readonly config: Config; readonly sandboxes: Sandboxes },
  inputs: RunInputs,
  signal: AbortSignal,
  stopwatch: Stopwatch,
  onConsole: (lines: readonly ConsoleLine[]) => void,
): Promise<ScriptResponse> {
  const { tenant, isAsync = false } = inputs;
  const timeoutMs = isAsync ? config.ASYNC_TIMEOUT_MS : config.SCRIPT_TIMEOUT_MS;
  const job = encodeJob({ ...inputOf(config, inputs), timeoutMs });
  const onStart = (): void => stopwatch.handOver();
  const outcome = await sandboxes.run(job, timeoutMs, signal, onStart, tenant, isAsync);
  stopwatch.handBack('scriptMs' in outcome ? outcome.scriptMs : Infinity);
  const head = 'head' in outcome ? parseHead(outcome.head) : undefined;
  onConsole(consoleLines(head));
  return responseOf(config, timeoutMs, outcome, head);
}

function inputOf(config: Config, { request, script, code, blueprint }: RunInputs) {
  const { method, url, headers } = request;
  const input = JSON.stringify({
    request: { method, url, headers },
    blueprint: { status: blueprint.status, headers: blueprint.headers },
    maxResponse: config.MAX_RESPONSE_BYTES,
    maxHeaders: MAX_HEADERS,
  });
  return {
    input,
    script,
    code,
    requestBody: request.body,
    blueprintBody: blueprint.body,
  };
}

/** The script's answer, or the error that the sandbox's own account of the run stands for. */
function responseOf(
  config: Config,
  timeoutMs: number,
  outcome: SandboxOutcome,
  head: unknown,
): ScriptResponse {
  switch (outcome.kind) {
    case 'answer':
      return checkAnswer(head, outcome.body, config.MAX_RESPONSE_BYTES);
    case 'oversized':
      throw new LC500Error('invalid_response', 'status, headers and console log are over 1 MiB');
    case 'timeout':
      throw new LC500Error('script_timeout', `the script ran longer than ${timeoutMs} ms`);
    case 'memory':
      throw new LC500Error('memory_limit', `the script used more than ${config.SCRIPT_MEMORY_MB} MiB`);
    case 'error':
      throw new LC500Error('script_error', describe(outcome.error), { cause: outcome.error });
    case 'died':
      throw new LC500Error('runner_lost', 'the sandbox died');
    case 'killed':
      throw killed(outcome.reason, timeoutMs);
  }
}

function killed(
  reason: Extract<SandboxOutcome, { kind: 'killed' }>['reason'],
  timeoutMs: number,
): LC500Error {
  switch (reason) {
    case 'clock':
      return new LC500Error(
        'script_timeout',
        `the script ran longer than ${timeoutMs} ms and could not be stopped`,
      );
    case 'memory':
      return new LC500Error('memory_limit', 'the sandbox used more memory than it may');
    case 'abandoned':
      return new LC500Error('deadline_exceeded');
    case 'protocol':
    case 'closing':
      return new LC500Error('runner_lost', `the sandbox was killed: ${reason}`);
  }
}

function parseHead(head: string): unknown {
  try {
    return JSON.parse(head);
  } catch {
    return undefined;
  }
}

function describe({ name, message, stack }: { name: string; message: string; stack: string }): string {
  return [`${name}: ${message}`, stack].filter(Boolean).join('\n');
}
