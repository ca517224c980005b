/**
 * What a tenant's script finds in its isolate: the script API, and one function for the sandbox to fill the
 * isolate before the script runs and to read the answer after it.
 *
 * This function never runs in lc500's own processes except in its unit tests: its source text goes into the
 * V8 snapshot that every isolate starts from (see isolate.ts), so it must not refer to anything outside
 * itself. The tenant's code may have replaced every built-in by the time these functions are called. Whatever
 * they use is therefore taken beforehand, and what they keep has no prototype that a setter or `toJSON` could
 * be hung on.
 *
 * @returns the exchange: called with the input it begins an invocation, called without it ends it and returns
 *   a line of JSON (`RawAnswer`) followed by the body's text
 */
export function installScriptApi(
  scope: object,
): (input?: string, ...bodies: (string | undefined)[]) => string {
  // The text of a module is strict, and this leaves its module. Else `caller` and V8's call sites would hand out
  // these functions to whatever they call of the tenant's.
  'use strict';
  const { parse, stringify } = JSON;
  const { apply, defineProperty, getPrototypeOf, getOwnPropertyDescriptor } = Reflect;
  const { setPrototypeOf } = Object;
  const { fromCharCode } = String;
  const { toLowerCase, toUpperCase, charCodeAt, slice } = String.prototype;
  const toText = String;
  const toNumber = Number;
  const Bytes = Uint8Array;
  const typedArray = getPrototypeOf(Bytes.prototype) as object;
  const kindOf = getOwnPropertyDescriptor(typedArray, Symbol.toStringTag)?.get as () => string | undefined;
  const lengthOf = getOwnPropertyDescriptor(typedArray, 'length')?.get as () => number;

  const LOG_LIMIT = 65_536;
  const CHUNK = 4096;

  interface Input {
    request: { method: string; url: string; headers: [string, string][] };
    blueprint: { status: number; headers: [string, string][] };
    /** Bytes of an answer's body. */
    maxResponse: number;
    /** Header fields of an answer. */
    maxHeaders: number;
  }
  let input: Input;
  let requestText: string;
  let requestBytes: string;
  let blueprintText: string;
  let blueprintBytes: string;

  const list = <T>(): T[] => setPrototypeOf([], null) as T[];
  const dictionary = <T>(): Record<string, T> => ({ __proto__: null }) as unknown as Record<string, T>;

  let status = 200;
  const names = list<string>();
  const values = list<string | null>();
  const firstAt = dictionary<number>();
  let body = '';
  /** Where bytes stand in `body`, a code unit a byte: start, length, start, length, … */
  const binary = list<number>();
  let tooLarge = false;
  const log = list<string>();
  let logged = 0;

  const lower = (text: string): string => apply(toLowerCase, text, []);

  // -- reading -------------------------------------------------------------------------------------------

  /** `user-agent` → `User-Agent`, as the first lc500 (Go's net/http) wrote names. */
  function canonical(name: string): string {
    let result = '';
    let start = true;
    for (let i = 0; i < name.length; i++) {
      const char = name[i] as string;
      result += start ? apply(toUpperCase, char, []) : lower(char);
      start = char === '-';
    }
    return result;
  }

  function valuesOf(headers: [string, string][], name: unknown): string[] {
    const wanted = lower(toText(name));
    const found: string[] = [];
    for (let i = 0; i < headers.length; i++) {
      const pair = headers[i] as [string, string];
      if (lower(pair[0]) === wanted) append(found, pair[1]);
    }
    return found;
  }

  function grouped(headers: [string, string][]): object {
    const groups = {};
    const seen = dictionary<string[]>();
    for (let i = 0; i < headers.length; i++) {
      // Not taken apart by a pattern: that would ask an iterator which may have been replaced.
      const pair = headers[i] as [string, string];
      const key = canonical(pair[0]);
      let group = seen[key];
      if (group === undefined) {
        group = seen[key] = [];
        define(groups, key, group, true);
      }
      append(group, pair[1]);
    }
    return groups;
  }

  function append<T>(array: T[], value: T): void {
    define(array, array.length, value, true);
  }

  function define(target: object, key: PropertyKey, value: unknown, enumerable: boolean): void {
    const descriptor = { __proto__: null, value, enumerable, writable: true, configurable: true };
    defineProperty(target, key, descriptor as PropertyDescriptor);
  }

  function toBytes(binaryText: string): Uint8Array {
    const bytes = new Bytes(binaryText.length);
    for (let i = 0; i < binaryText.length; i++) bytes[i] = apply(charCodeAt, binaryText, [i]);
    return bytes;
  }

  // -- answering -----------------------------------------------------------------------------------------

  function setHeader(name: unknown, value: unknown): void {
    const field = toText(name);
    const text = toText(value);
    const key = lower(field);
    const first = firstAt[key];
    if (first === undefined) return push(key, field, text);
    names[first] = field;
    values[first] = text;
    for (let i = first + 1; i < names.length; i++) if (lower(names[i] as string) === key) values[i] = null;
  }

  function addHeader(name: unknown, value: unknown): void {
    const field = toText(name);
    push(lower(field), field, toText(value));
  }

  function push(key: string, name: string, value: string): void {
    firstAt[key] ??= names.length;
    names[names.length] = name;
    values[values.length] = value;
  }

  function setBody(part: unknown): void {
    const isBytes = apply(kindOf, part, []) === 'Uint8Array';
    const text = isBytes ? '' : toText(part);
    const length = isBytes ? apply(lengthOf, part, []) : text.length;
    // A code unit is at least a byte of the answer, so this many can never be sent: do not even keep them.
    if (body.length + length > input.maxResponse) tooLarge = true;
    if (tooLarge) return;
    if (isBytes) {
      binary[binary.length] = body.length;
      binary[binary.length] = length;
    }
    body += isBytes ? fromBytes(part as Uint8Array, length) : text;
  }

  function fromBytes(bytes: Uint8Array, length: number): string {
    let text = '';
    for (let start = 0; start < length; start += CHUNK) {
      const units = list<number>();
      const stop = start + CHUNK < length ? start + CHUNK : length;
      for (let i = start; i < stop; i++) units[i - start] = bytes[i] as number;
      text += apply(fromCharCode, undefined, units);
    }
    return text;
  }

  // -- console -------------------------------------------------------------------------------------------

  function record(level: string, args: unknown[]): void {
    if (logged >= LOG_LIMIT) return;
    let line = '';
    for (let i = 0; i < args.length; i++) line += (i === 0 ? '' : ' ') + describe(args[i]);
    const kept = apply(slice, line, [0, LOG_LIMIT - logged]);
    // An empty line counts too, or endless ones would never reach the limit.
    logged += kept.length + 1;
    log[log.length] = level;
    log[log.length] = kept;
    if (logged < LOG_LIMIT) return;
    log[log.length] = 'warn';
    log[log.length] = 'console: the log is full, the rest is dropped';
  }

  function describe(value: unknown): string {
    if (typeof value === 'string') return value;
    try {
      if (value instanceof Error) return toText(value.stack);
      return (typeof value === 'object' ? stringify(value) : undefined) ?? toText(value);
    } catch {
      return '[not printable]';
    }
  }

  // -- the globals ---------------------------------------------------------------------------------------

  const api = {
    readRequestUrl: () => input.request.url,
    readRequestMethod: () => input.request.method,
    readRequestHeader: (name: unknown) => valuesOf(input.request.headers, name)[0],
    readRequestHeaders: () => grouped(input.request.headers),
    readRequestBody: () => requestText,
    readRequestBodyBytes: () => toBytes(requestBytes),
    readResponseStatusCode: () => input.blueprint.status,
    readResponseHeader: (name: unknown) => valuesOf(input.blueprint.headers, name),
    readResponseHeaders: () => grouped(input.blueprint.headers),
    readResponseBody: () => blueprintText,
    readResponseBodyBytes: () => toBytes(blueprintBytes),
    setStatus(code: unknown) {
      status = toNumber(code);
    },
    setHeader,
    addHeader,
    setBody,
  };
  for (const [name, value] of Object.entries(api)) define(scope, name, value, false);

  const console = {};
  for (const level of ['debug', 'log', 'info', 'warn', 'error']) {
    define(console, level, (...args: unknown[]) => record(level, args), true);
  }
  define(scope, 'console', console, false);

  // -- the exchange --------------------------------------------------------------------------------------

  function begin(json: string, bodies: (string | undefined)[]): string {
    input = parse(json) as Input;
    requestText = bodies[0] ?? '';
    requestBytes = bodies[1] ?? requestText;
    blueprintText = bodies[2] ?? '';
    blueprintBytes = bodies[3] ?? blueprintText;
    return '';
  }

  function end(): string {
    const headers = list<string>();
    for (let i = 0; i < names.length; i++) {
      const value = values[i];
      if (value === null || value === undefined) continue;
      headers[headers.length] = names[i] as string;
      headers[headers.length] = value;
      // One more than can be sent tells that there were too many: the rest would be carried out to be counted.
      if (headers.length > 2 * input.maxHeaders) break;
    }
    const head = { __proto__: null, status, headers, binary, tooLarge, log };
    return `${stringify(head)}\n${body}`;
  }

  return (json, ...bodies) => (json === undefined ? end() : begin(json, bodies));
}

/** The head of an answer as it comes out of an isolate. Written by code that a tenant ran beside: trust none of it. */
export interface RawAnswer {
  readonly status: number;
  /** Name, value, name, value, … */
  readonly headers: readonly string[];
  /** Which parts of the body's text are bytes, a code unit a byte: start, length, … */
  readonly binary: readonly number[];
  readonly tooLarge: boolean;
  /** Level, line, level, line, … */
  readonly log: readonly string[];
}
