import { isAscii } from 'node:buffer';
import ivm from 'isolated-vm';
import { installClock } from './clock.ts';
import { installScriptApi } from './script-api.ts';
import type { SandboxSettings } from './settings.ts';

export type IsolateSettings = Omit<SandboxSettings, 'close' | 'task'>;

/** What one run needs. */
export interface RunInput {
  /** JSON for the script API: request, blueprint and limits without their bodies. */
  readonly input: string;
  readonly script: string;
  /** What V8 made of this very script when `compile` compiled it; empty: it has to be compiled. */
  readonly code: Buffer;
  readonly requestBody: Buffer;
  readonly blueprintBody: Buffer;
  readonly timeoutMs: number;
}

/** The script's own error, for the operator's eyes only. */
export interface ScriptFailure {
  readonly name: string;
  readonly message: string;
  readonly stack: string;
}

export type RunResult = (
  | { readonly kind: 'answer'; readonly answer: string }
  /** `answer`: what the script had done until then, for its console log; none when it cannot be had. */
  | { readonly kind: 'timeout'; readonly answer?: string }
  | { readonly kind: 'memory' }
  | { readonly kind: 'error'; readonly error: ScriptFailure; readonly answer?: string }
) & { readonly isolateMs: number; readonly scriptMs: number };

/** An isolate that is ready for its one run. */
export interface PreparedIsolate {
  run(input: RunInput): RunResult;
  /** Compiles a script without running it, to code that spares `run` the compiling. */
  compile(script: string): Buffer;
  dispose(): void;
}

const EXCHANGE = '__lc500_exchange';
const CLOCK = '__lc500_clock';
/** What a script is called in its stack traces. */
const FILENAME = 'index.js';
const MEBIBYTE = 1_048_576;
/** Time to read a failed script's console log; no tenant's code runs in it. */
const LOG_TIMEOUT_MS = 20;

/** Uses the script API once in a context that is thrown away, so that the snapshot holds it compiled. */
const WARM_UP = `
  ${EXCHANGE}('{"request":{"method":"GET","url":"/","headers":[["Host","a"]]},' +
    '"blueprint":{"status":200,"headers":[["A","b"]]},"maxResponse":100,"maxHeaders":9}', '', undefined, '', undefined);
  readRequestUrl(); readRequestMethod(); readRequestHeader('host'); readRequestHeaders(); readRequestBody();
  readResponseStatusCode(); readResponseHeader('a'); readResponseHeaders(); readResponseBody();
  setStatus(200); setHeader('Content-Type', 'text/plain'); addHeader('A', 'b'); setBody('text');
  console.log('text', 1);
  new Date(); Date.now();
  ${EXCHANGE}();`;

/**
 * Makes the V8 snapshot that isolates start from, with the script API in it: nothing of lc500's own is compiled again
 * for a request. It is made once for all sandboxes of a runner: what V8 compiles on one it does not take on another.
 */
export function makeSnapshot({ clockMs }: Pick<IsolateSettings, 'clockMs'>): Buffer {
  const prelude =
    `globalThis.${EXCHANGE} = (${installScriptApi.toString()})(globalThis);` +
    `globalThis.${CLOCK} = (${installClock.toString()})(globalThis, ${clockMs});`;
  const snapshot = ivm.Isolate.createSnapshot([{ code: prelude, filename: 'lc500' }], WARM_UP);
  return Buffer.from(snapshot.copy());
}

/** @param settings heap of one isolate, its clock, and what it is to lack */
export function createIsolates(
  { memoryMb, removed }: IsolateSettings,
  snapshotBytes: Buffer,
): () => PreparedIsolate {
  const snapshot = external(snapshotBytes);
  return () => {
    const isolate = new ivm.Isolate({ memoryLimit: memoryMb, snapshot });
    const context = isolate.createContextSync();
    const exchange = context.global.getSync(EXCHANGE, { reference: true });
    if (!removed.includes('Temporal')) context.evalSync(`typeof Temporal === 'object' && ${CLOCK}(Temporal)`);
    for (const name of [EXCHANGE, CLOCK, ...removed]) context.global.deleteSync(name);
    return {
      run: (input) => run({ isolate, context, exchange, limit: memoryMb * MEBIBYTE }, input),
      compile: (script) => compile(isolate, script),
      dispose: () => isolate.isDisposed || isolate.dispose(),
    };
  };
}

/** @throws what V8 says of a script that does not compile */
function compile(isolate: ivm.Isolate, source: string): Buffer {
  const script = isolate.compileScriptSync(source, { filename: FILENAME, produceCachedData: true });
  // Missing in the declaration of its type.
  const { cachedData } = script as ivm.Script & ivm.CachedDataResult;
  return cachedData ? Buffer.from(cachedData.copy()) : Buffer.alloc(0);
}

function external(bytes: Buffer): ivm.ExternalCopy<ArrayBuffer> {
  return new ivm.ExternalCopy(new Uint8Array(bytes).buffer);
}

interface Room {
  readonly isolate: ivm.Isolate;
  readonly context: ivm.Context;
  readonly exchange: ivm.Reference<ReturnType<typeof installScriptApi>>;
  /** Bytes of heap. */
  readonly limit: number;
}

/** Fills the isolate, runs the script, reads the answer. The clock covers all that the tenant can influence. */
function run(room: Room, input: RunInput): RunResult {
  const begun = performance.now();
  const bodies = [...bodyStrings(input.requestBody), ...bodyStrings(input.blueprintBody)];
  room.exchange.applySync(undefined, [input.input, ...bodies]);
  const started = performance.now();
  let ended: number | undefined;
  try {
    const known = input.code.length > 0 ? { cachedData: external(input.code) } : {};
    const script = room.isolate.compileScriptSync(input.script, { filename: FILENAME, ...known });
    // What its last line comes to is nobody's, and may be large: it is left where it is.
    script.runSync(room.context, { timeout: input.timeoutMs, reference: true });
    ended = performance.now();
    const left = Math.max(1, Math.ceil(input.timeoutMs - (ended - started)));
    const answer = room.exchange.applySync(undefined, [], { timeout: left });
    const outcome = overLimit(room) ? ({ kind: 'memory' } as const) : ({ kind: 'answer', answer } as const);
    return { ...outcome, ...timings(begun, started, ended) };
  } catch (error) {
    ended ??= performance.now();
    return { ...failure(room, input, error, performance.now() - started), ...timings(begun, started, ended) };
  }
}

/**
 * A body as the isolate gets it: its text, and its bytes (a code unit a byte) where these are not the same.
 */
function bodyStrings(body: Buffer): [text: string, bytes: string | undefined] {
  return isAscii(body)
    ? [body.toString('latin1'), undefined]
    : [body.toString('utf8'), body.toString('latin1')];
}

/** isolated-vm counts neither joined strings nor large tables while they grow, so the heap is looked at once more. */
function overLimit({ isolate, limit }: Room): boolean {
  try {
    const heap = isolate.getHeapStatisticsSync();
    return heap.used_heap_size + heap.externally_allocated_size > limit;
  } catch {
    // isolated-vm throws the script's unhandled rejections out of whatever is called next.
    return false;
  }
}

/** What made a run fail, told by the isolate's state and the clock, never by a message that a tenant can write. */
function failure(room: Room, input: RunInput, thrown: unknown, elapsed: number) {
  if (room.isolate.isDisposed || overLimit(room)) return { kind: 'memory' } as const;
  const soFar = readAnswer(room);
  if (elapsed >= input.timeoutMs) return { kind: 'timeout', ...soFar } as const;
  return { kind: 'error', error: describe(thrown), ...soFar } as const;
}

function readAnswer({ exchange }: Room): { answer?: string } {
  try {
    return { answer: exchange.applySync(undefined, [], { timeout: LOG_TIMEOUT_MS }) };
  } catch {
    return {};
  }
}

/** isolated-vm copies thrown errors; anything else that was thrown comes as a plain value. */
function describe(thrown: unknown): ScriptFailure {
  if (!(thrown instanceof Error)) return { name: 'Error', message: `thrown: ${String(thrown)}`, stack: '' };
  return { name: thrown.name, message: thrown.message, stack: scriptFrames(thrown.stack ?? '') };
}

/** Only the script's own frames: the host's are nobody's business. */
function scriptFrames(stack: string): string {
  return stack
    .split('\n')
    .filter((line) => line.includes('index.js:'))
    .join('\n');
}

function timings(begun: number, started: number, ended: number) {
  return { isolateMs: performance.now() - begun - (ended - started), scriptMs: ended - started };
}
