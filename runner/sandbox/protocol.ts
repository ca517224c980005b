import type { RunInput, RunResult, ScriptFailure } from './isolate.ts';
import type { RawAnswer } from './script-api.ts';

/** The file descriptor of the pipe between a sandbox and its runner, on the sandbox's side. */
export const SANDBOX_FD = 3;

/** Code units of an answer's head (status, headers, console log). More can only be meant to do harm. */
const HEAD_LIMIT = 1_048_576;
const NO_CODE = Buffer.alloc(0);
/** Code units of an error's text. */
const ERROR_LIMIT = 8192;

/** A run as the runner hears of it; `kind` is the sandbox's own word, `answer` and `error` the tenant's. */
export type SandboxResult = (
  | { readonly kind: 'answer'; readonly head: string; readonly body: Buffer }
  | { readonly kind: 'timeout' | 'memory' | 'oversized'; readonly head: string }
  | { readonly kind: 'error'; readonly head: string; readonly error: ScriptFailure }
) & { readonly isolateMs: number; readonly scriptMs: number };

/** Runner → sandbox. The bodies stay bytes and the script stays text: only the small rest is JSON. */
export function encodeJob(
  job: Omit<RunInput, 'script' | 'code'> & { readonly script: Buffer; readonly code?: Buffer | undefined },
): Buffer[] {
  const control = Buffer.from(String(job.timeoutMs));
  const code = job.code ?? NO_CODE;
  return [control, Buffer.from(job.input), job.script, job.requestBody, job.blueprintBody, code];
}

export function decodeJob(parts: readonly Buffer[]): RunInput {
  const [control, input, script, requestBody, blueprintBody, code] = parts as [
    Buffer,
    Buffer,
    Buffer,
    Buffer,
    Buffer,
    Buffer,
  ];
  return {
    timeoutMs: Number(control.toString()),
    input: input.toString(),
    script: script.toString(),
    code,
    requestBody,
    blueprintBody,
  };
}

/** Sandbox → runner, once, when the first isolate is ready. */
export function encodeReady(): Buffer[] {
  return [];
}

/** Sandbox → runner: `[verdict, head, body]`; of a failed run the head is there for its console log. */
export function encodeResult(result: RunResult): Buffer[] {
  const { isolateMs, scriptMs } = result;
  const verdict = { kind: result.kind, isolateMs, scriptMs };
  if (result.kind === 'memory') return [json(verdict)];
  const answer = result.answer ?? '\n';
  const end = answer.indexOf('\n');
  const head = end > HEAD_LIMIT ? '' : answer.slice(0, end);
  if (result.kind === 'timeout') return [json(verdict), Buffer.from(head)];
  if (result.kind === 'error') return [json({ ...verdict, error: bounded(result.error) }), Buffer.from(head)];
  if (head === '') return [json({ ...verdict, kind: 'oversized' })];
  return [json(verdict), Buffer.from(head), bodyBytes(answer.slice(end + 1), head)];
}

/** The result of a `compile` task: what V8 made of the script stands where an answer's body does. */
export function encodeCompiled(code: Buffer): Buffer[] {
  return [json({ kind: 'answer', isolateMs: 0, scriptMs: 0 }), Buffer.from('{}'), code];
}

/** @throws SyntaxError when it is not a result: the sandbox may be in a stranger's hands */
export function decodeResult(parts: readonly Buffer[]): SandboxResult {
  const [verdict, head, body] = parts;
  const result: unknown = JSON.parse(String(verdict));
  if (!isVerdict(result)) throw new SyntaxError('not an account of a run');
  if (result.kind === 'answer') return { ...result, head: String(head), body: body ?? Buffer.alloc(0) };
  return { ...result, head: String(head ?? '') };
}

/** The body's text as UTF-8, and those parts of it that are bytes as these bytes. */
function bodyBytes(text: string, head: string): Buffer {
  const { binary } = JSON.parse(head) as RawAnswer;
  if (binary.length === 0) return Buffer.from(text, 'utf8');
  const pieces: Buffer[] = [];
  let done = 0;
  for (let i = 0; i + 1 < binary.length; i += 2) {
    const start = binary[i] as number;
    const end = start + (binary[i + 1] as number);
    pieces.push(Buffer.from(text.slice(done, start), 'utf8'), Buffer.from(text.slice(start, end), 'latin1'));
    done = end;
  }
  return Buffer.concat([...pieces, Buffer.from(text.slice(done), 'utf8')]);
}

function isVerdict(value: unknown): value is SandboxResult {
  if (typeof value !== 'object' || value === null) return false;
  const { kind, isolateMs, scriptMs, error } = value as Record<string, unknown>;
  if (!Number.isFinite(isolateMs) || !Number.isFinite(scriptMs)) return false;
  if (kind === 'error') return isFailure(error);
  return kind === 'answer' || kind === 'timeout' || kind === 'memory' || kind === 'oversized';
}

function isFailure(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { name, message, stack } = value as Record<string, unknown>;
  return [name, message, stack].every((text) => typeof text === 'string');
}

function bounded({ name, message, stack }: ScriptFailure): ScriptFailure {
  return {
    name: name.slice(0, ERROR_LIMIT),
    message: message.slice(0, ERROR_LIMIT),
    stack: stack.slice(0, ERROR_LIMIT),
  };
}

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}
