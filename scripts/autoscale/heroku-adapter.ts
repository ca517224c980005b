import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { Logger } from '../../shared/log.ts';
import type { Adapter } from './adapter.ts';

export interface HerokuOptions {
  /** Origin of the Platform API. */
  readonly url: string;
  readonly app: string;
  readonly token: string;
  readonly log: Logger;
}

const PROCESS_TYPE = 'runner';
const TRIES = 3;
const FIRST_PAUSE_MS = 250;
/** The formation changes by our own hand alone, or by an operator's, who is noticed after this. */
const REMEMBER_MS = 30_000;
/** An account regains about 75 requests a minute; with few left, others who use it need them more. */
const FEW_REQUESTS = 300;
const SPARING_MS = 120_000;
const LIMITED_MS = 60_000;

const formation = z.object({ type: z.literal(PROCESS_TYPE), quantity: z.int().nonnegative() });

/**
 * The quantity of the process type `runner` in a Heroku app's formation.
 *
 * What fails in passing (network, 5xx) is tried three times. After 429 nothing is asked before `Retry-After`, or
 * for a minute; `RateLimit-Remaining` near its end makes it ask less often.
 * Source: Platform API reference, "Formation", "Rate Limits", "Errors".
 *
 * @throws Error from its methods with Heroku's own error id and message
 */
export function createHerokuAdapter(options: HerokuOptions): Adapter {
  const api = new FormationApi(options);
  let known: { quantity: number; until: number } | undefined;
  const remember = (quantity: number): number => {
    known = { quantity, until: performance.now() + api.rememberMs };
    return quantity;
  };
  return {
    name: 'heroku',
    startMs: 15_000,
    async count(signal) {
      if (known && performance.now() < known.until) return known.quantity;
      return remember(await api.send('GET', undefined, signal));
    },
    async scale(wanted, signal) {
      // Whether it was done is not known until it is answered.
      known = undefined;
      remember(await api.send('PATCH', { quantity: wanted }, signal));
    },
  };
}

class FormationApi {
  readonly #options: HerokuOptions;
  #silentUntil = -Infinity;
  rememberMs = REMEMBER_MS;

  constructor(options: HerokuOptions) {
    this.#options = options;
  }

  /** @returns the formation's quantity */
  async send(method: 'GET' | 'PATCH', body: object | undefined, signal: AbortSignal): Promise<number> {
    const silentMs = this.#silentUntil - performance.now();
    if (silentMs > 0) {
      throw new Error(`Heroku's rate limit is reached; asking again in ${Math.ceil(silentMs / 1000)} s`);
    }
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#sendOnce(method, body, signal);
      } catch (error) {
        if (error instanceof Refusal || attempt === TRIES || signal.aborted) throw error;
        await sleep(FIRST_PAUSE_MS * 2 ** (attempt - 1) * (0.5 + Math.random()), undefined, { signal });
      }
    }
  }

  async #sendOnce(method: string, body: object | undefined, signal: AbortSignal): Promise<number> {
    const { url, app, token } = this.#options;
    const response = await fetch(new URL(`/apps/${app}/formation/${PROCESS_TYPE}`, url), {
      method,
      headers: {
        Accept: 'application/vnd.heroku+json; version=3',
        Authorization: `Bearer ${token}`,
        'Content-Type': 'application/json',
        'User-Agent': 'lc500-autoscaler',
      },
      ...(body ? { body: JSON.stringify(body) } : {}),
      signal,
    });
    this.#heed(response);
    if (response.ok) return formation.parse(await response.json()).quantity;
    throw await failureOf(response);
  }

  #heed({ status, headers }: Response): void {
    const remaining = headers.get('RateLimit-Remaining');
    const isSparing = remaining !== null && Number(remaining) < FEW_REQUESTS;
    if (isSparing) this.#options.log.warn({ remaining: Number(remaining) }, "Heroku's rate limit is near");
    this.rememberMs = isSparing ? SPARING_MS : REMEMBER_MS;
    if (status !== 429) return;
    const seconds = Number(headers.get('Retry-After'));
    this.#silentUntil = performance.now() + (seconds > 0 ? seconds * 1000 : LIMITED_MS);
  }
}

/** An answer that another try would not change. */
class Refusal extends Error {}

async function failureOf(response: Response): Promise<Error> {
  const parsed = z
    .object({ id: z.string(), message: z.string() })
    .safeParse(await response.json().catch(() => undefined));
  const detail = parsed.success ? `${parsed.data.id}: ${parsed.data.message}` : '';
  const text = `Heroku answers ${response.status} ${detail}`.trim();
  return response.status >= 500 ? new Error(text) : new Refusal(text);
}
