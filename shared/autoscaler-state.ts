import type { Redis } from 'ioredis';
import { z } from 'zod';
import { autoscalerKey } from './queue.ts';

const schema = z.object({
  /** What it acts on: `local`, `heroku`, `none`. */
  adapter: z.string(),
  /** `hold`: the signals do not allow a decision; `failing`: what it acts on does not do as it is told. */
  state: z.enum(['deciding', 'hold', 'failing']),
  reason: z.string(),
  /** How many runners there should be, and how many are ordered. `null`: what it acts on does not tell. */
  wanted: z.int().nonnegative().nullable(),
  current: z.int().nonnegative().nullable(),
  /** Requests a second of late. */
  arrivalRate: z.number().nonnegative().nullable(),
  /** Redis's clock, milliseconds. */
  at: z.number(),
});

/** What the acting autoscaler last decided. */
export type AutoscalerState = Readonly<z.output<typeof schema>>;

export function encodeAutoscalerState(state: AutoscalerState): string {
  return JSON.stringify(state);
}

/** `undefined` when no autoscaler acts, which one that was killed is found to do when its state has expired. */
export async function readAutoscalerState(
  redis: Redis,
  prefix: string,
): Promise<AutoscalerState | undefined> {
  const text = await redis.get(autoscalerKey(prefix));
  if (text === null) return undefined;
  const parsed = schema.safeParse(JSON.parse(text));
  return parsed.success ? parsed.data : undefined;
}
