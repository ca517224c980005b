import { z } from 'zod';
import { refusal } from './admin-errors.ts';
import {
  dryRunSchema,
  logSchema,
  pageSchema,
  recordSchema,
  replayRunSchema,
  startedSchema,
  type DryRun,
  type InvocationRecord,
  type ReplayRun,
} from './admin-schema.ts';
import { CliError, unreachableCode } from './errors.ts';

/** Where the admin interface is, and what opens it. */
export interface AdminAddress {
  readonly url: URL;
  readonly token: string;
  /** What to do when nobody answers there. */
  readonly unreachableHint: string;
}

export type ScriptMode = 'original' | 'current' | { readonly source: string };
export type BlueprintMode = 'original' | 'fresh';

/** How something is replayed; what is not given is as in the original. */
export interface ReplayOrder {
  readonly script: ScriptMode;
  readonly blueprint: BlueprintMode;
  readonly unsafe?: boolean;
  readonly again?: boolean;
}

/** Which kept invocations. `undefined`: whatever. */
export interface Filter {
  readonly tenant?: string | undefined;
  readonly code?: string | undefined;
  /** ISO 8601. */
  readonly since?: string | undefined;
  readonly until?: string | undefined;
}

export type ReplayManyOrder = Omit<ReplayOrder, 'again'> & {
  readonly filter: Filter;
  readonly rate?: number;
};

const TIMEOUT_MS = 30_000;

/** The admin interface of a gateway, gateway/admin/openapi.yaml. Every method throws CliError. */
export class AdminClient {
  readonly #address: AdminAddress;

  constructor(address: AdminAddress) {
    this.#address = address;
  }

  list(query: Readonly<Record<string, string | number | undefined>>): Promise<z.output<typeof pageSchema>> {
    const given = Object.entries(query).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, String(value)] as [string, string]],
    );
    return this.#json(pageSchema, 'the list', 'GET', `invocations?${new URLSearchParams(given).toString()}`);
  }

  record(id: string): Promise<InvocationRecord> {
    return this.#json(recordSchema, `invocation ${id}`, 'GET', `invocations/${encodeURIComponent(id)}`);
  }

  log(id: string): Promise<z.output<typeof logSchema>> {
    return this.#json(logSchema, `the log of ${id}`, 'GET', `invocations/${encodeURIComponent(id)}/log`);
  }

  /** The request's body, the script that ran, or the answer's body, as bytes. */
  async part(id: string, part: 'body' | 'script' | 'answer'): Promise<Buffer> {
    const path = `invocations/${encodeURIComponent(id)}/${part}`;
    const response = await this.#ask(`the ${part} of invocation ${id}`, 'GET', path);
    return Buffer.from(await response.arrayBuffer());
  }

  async delete(id: string): Promise<void> {
    await this.#ask(`invocation ${id}`, 'DELETE', `invocations/${encodeURIComponent(id)}`);
  }

  /** @returns the id of the new invocation, whose record appears when it has ended */
  async replay(id: string, order: ReplayOrder): Promise<string> {
    const path = `invocations/${encodeURIComponent(id)}/replay`;
    return (await this.#json(startedSchema, `invocation ${id}`, 'POST', path, order)).id;
  }

  dryRun(order: ReplayManyOrder): Promise<DryRun> {
    return this.#json(dryRunSchema, 'the dry run', 'POST', 'replays', { ...order, dryRun: true });
  }

  /** @returns the id of the replay of many */
  async replayMany(order: ReplayManyOrder): Promise<string> {
    return (await this.#json(startedSchema, 'the replay', 'POST', 'replays', order)).id;
  }

  replayRun(id: string): Promise<ReplayRun> {
    return this.#json(replayRunSchema, `replay ${id}`, 'GET', `replays/${encodeURIComponent(id)}`);
  }

  async stop(id: string): Promise<void> {
    await this.#ask(`replay ${id}`, 'DELETE', `replays/${encodeURIComponent(id)}`);
  }

  async #json<S extends z.ZodType>(
    schema: S,
    what: string,
    method: string,
    path: string,
    body?: object,
  ): Promise<z.output<S>> {
    const response = await this.#ask(what, method, path, body);
    const parsed = schema.safeParse(await response.json().catch(() => undefined));
    if (parsed.success) return parsed.data;
    throw new CliError(
      `${this.#place} gave ${what} in a form that is not known here; it may be of another version`,
      { cause: parsed.error },
    );
  }

  async #ask(what: string, method: string, path: string, body?: object): Promise<Response> {
    const { url, token } = this.#address;
    const headers = { authorization: `Bearer ${token}` };
    const sent = body === undefined ? {} : { body: JSON.stringify(body) };
    const type = body === undefined ? {} : { 'content-type': 'application/json' };
    const init = { method, headers: { ...headers, ...type }, ...sent, redirect: 'error' as const };
    let response: Response;
    try {
      response = await fetch(new URL(path, url), { ...init, signal: AbortSignal.timeout(TIMEOUT_MS) });
    } catch (error) {
      throw new CliError(this.#unreachable(error as Error), { cause: error });
    }
    if (response.ok) return response;
    throw await refusal(this.#place, what, response);
  }

  get #place(): string {
    return `the admin interface at ${this.#address.url.origin}`;
  }

  /** `fetch` hides the reason in the error's cause. */
  #unreachable(error: Error): string {
    const cause = error.cause as NodeJS.ErrnoException | undefined;
    const reason = unreachableCode(cause) ?? cause?.code ?? cause?.message ?? error.message;
    return `cannot reach ${this.#place} (${reason}); ${this.#address.unreachableHint}`;
  }
}
