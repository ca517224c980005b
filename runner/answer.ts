import { z } from 'zod';
import { LC500Error } from '../shared/errors.ts';
import { isHeaderName, isHeaderValue, type HeaderPair } from '../shared/headers.ts';
import type { ScriptResponse } from '../shared/reply.ts';

/** More header fields, or more bytes in them, than any client takes. */
export const MAX_HEADERS = 256;
const MAX_HEADER_BYTES = 32_768;

/** What comes out of an isolate, `RawAnswer` in sandbox/script-api.ts. */
const schema = z.object({
  status: z.int().min(200).max(599),
  headers: z.array(z.string()).max(2 * MAX_HEADERS),
  tooLarge: z.literal(false),
});

const logSchema = z.object({ log: z.array(z.string()) });

/** A line of the script's console. */
export interface ConsoleLine {
  readonly level: string;
  readonly text: string;
}

/**
 * A script's answer, checked as what it is: input from a stranger.
 *
 * @param head JSON from the isolate
 * @throws LC500Error `invalid_response` saying what is wrong with it
 */
export function checkAnswer(head: unknown, body: Buffer, maxBytes: number): ScriptResponse {
  const parsed = schema.safeParse(head);
  if (!parsed.success) throw invalid(explain(parsed.error, head));
  if (body.length > maxBytes)
    throw invalid(`the body has ${body.length} bytes, at most ${maxBytes} can be sent`);
  const { status, headers } = parsed.data;
  return { status, headers: checkHeaders(headers), body };
}

/** The console's lines; none when the log cannot be read. */
export function consoleLines(head: unknown): ConsoleLine[] {
  const parsed = logSchema.safeParse(head);
  const lines: ConsoleLine[] = [];
  if (!parsed.success) return lines;
  const { log } = parsed.data;
  for (let i = 0; i + 1 < log.length; i += 2)
    lines.push({ level: log[i] as string, text: log[i + 1] as string });
  return lines;
}

function checkHeaders(flat: readonly string[]): HeaderPair[] {
  const pairs: HeaderPair[] = [];
  let size = 0;
  for (let i = 0; i + 1 < flat.length; i += 2) {
    const [name, value] = [flat[i] as string, flat[i + 1] as string];
    if (!isHeaderName(name)) throw invalid(`${quote(name)} is not a header name (RFC 9110, 5.1)`);
    if (!isHeaderValue(value))
      throw invalid(`the value of ${name}, ${quote(value)}, is not a header value (RFC 9110, 5.5)`);
    size += name.length + value.length;
    pairs.push([name, value]);
  }
  if (size > MAX_HEADER_BYTES)
    throw invalid(`the headers have ${size} bytes, at most ${MAX_HEADER_BYTES} can be sent`);
  return pairs;
}

function explain(error: z.ZodError, head: unknown): string {
  const path = error.issues[0]?.path[0];
  if (path === 'status') {
    const { status } = head as { status: unknown };
    // What is no primitive may have a toString of its own, or none.
    return `the status is ${quote(Object(status) === status ? 'an object' : String(status))}, expected 200 to 599`;
  }
  if (path === 'headers') return `more than ${MAX_HEADERS} headers were set`;
  if (path === 'tooLarge') return 'the body is over MAX_RESPONSE_BYTES';
  return 'the answer cannot be read';
}

function invalid(message: string): LC500Error {
  return new LC500Error('invalid_response', message);
}

function quote(text: string): string {
  return JSON.stringify(text.length > 100 ? `${text.slice(0, 100)}…` : text);
}
