import type { Queue } from 'bullmq';
import type { ErrorCode } from '../../shared/errors.ts';
import type { Answer, RequestOptions } from '../helpers/http.ts';
import type { System } from '../helpers/system.ts';

/** One attack, and what has to come of it. */
export interface HostileCase {
  readonly name: string;
  /** Lies in the bucket under the case's own hostname before anything is asked; without it a script that echoes. */
  readonly script?: string | Buffer;
  /** What the client sends, beside the case's own hostname. */
  readonly request?: Partial<Omit<RequestOptions, 'hostname' | 'signal'>>;
  /** Instead of a request: bytes as they are; `HOST` in them is the case's hostname. */
  readonly raw?: string;
  /** Instead of a request. A string that is returned is the answer's text, with status 200. */
  readonly act?: (room: AttackRoom) => Promise<Answer | string>;
  readonly expected: Expected;
}

/** A code (or one of several) of the error table, or the answer itself. */
export type Expected = ErrorCode | readonly ErrorCode[] | ExpectedAnswer;

export interface ExpectedAnswer {
  readonly status: number;
  readonly text?: string | RegExp;
  /** Lower-case names; `null`: the field must not be there. */
  readonly headers?: Readonly<Record<string, string | RegExp | null>>;
}

/** What an attacker may be handed who is more than a client: the intruder in Redis. */
export interface AttackRoom {
  readonly hostname: string;
  readonly system: System;
  readonly queue: Queue;
  readonly prefix: string;
}

export interface Family {
  readonly name: string;
  readonly cases: readonly HostileCase[];
}

/** Rows of name and script that are all to end alike. */
export function scripts(
  expected: Expected,
  rows: Readonly<Record<string, string | Buffer>>,
  request: HostileCase['request'] = {},
): HostileCase[] {
  return Object.entries(rows).map(([name, script]) => ({ name, script, request, expected }));
}

/** Rows of name and bytes on the wire. */
export function requests(expected: Expected, rows: Readonly<Record<string, string>>): HostileCase[] {
  return Object.entries(rows).map(([name, raw]) => ({ name, raw, expected }));
}
