import type { Lab, LabOptions } from './lab.ts';
import type { PlannedRequest } from './requests.ts';
import type { Random } from './random.ts';

/** Codes that requests may get beside `ok` while a fault lasts. */
export interface Allowed {
  readonly idempotent?: readonly string[];
  /** Not idempotent, with an `Idempotency-Key`. */
  readonly keyed?: readonly string[];
  /** Not idempotent, without one. */
  readonly post?: readonly string[];
}

export interface Fault {
  readonly name: string;
  /** For the README: what is done. */
  readonly what: string;
  readonly allowed: Allowed;
  /** How long a run takes, about, seconds; decides how runs are shared out. */
  readonly seconds: number;
  readonly lab?: Partial<Omit<LabOptions, 's3'>>;
  /** Redis is away between beginning and end: new requests are refused, and soon. */
  readonly away?: true;
  /** Redis forgets, so that a key's answer may be made a second time. */
  readonly forgets?: true;
  /** The blueprint server is asked again by right. */
  readonly asksAgain?: true;
  /** Inflicts it; resolves when it is over. @returns gateways that were down in between */
  readonly strike: (lab: Lab, random: Random) => Promise<readonly number[] | void>;
}

/** What the fault may do to this request. */
export function allowedCodes({ allowed }: Fault, { method, keyed }: PlannedRequest): readonly string[] {
  if (method !== 'POST') return allowed.idempotent ?? [];
  return (keyed ? allowed.keyed : allowed.post) ?? [];
}

export function forAll(...codes: string[]): Allowed {
  return { idempotent: codes, keyed: codes, post: codes };
}

/** A `POST` that was under way when its runner was lost is not run again. */
export const RUNNER_LOST: Allowed = { post: ['runner_lost'] };
