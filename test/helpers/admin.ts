import { sendRequest, type Answer } from './http.ts';
import type { System } from './system.ts';
import { waitFor } from './wait.ts';

export const ADMIN_TOKEN = 'a-token-for-this-test';

/** The admin interface of a system that was started with `ADMIN_TOKEN`. */
export interface Admin {
  get(path: string): Promise<Answer>;
  send(method: string, path: string, body?: unknown): Promise<Answer>;
  /** The record of an invocation, as soon as there is one. */
  record(id: string): Promise<AdminRecord>;
  list(query?: string): Promise<{ id: string; tenant: string; code: string | null }[]>;
}

/** What tests look at of a record. */
export interface AdminRecord {
  readonly id: string;
  readonly state: string;
  readonly code: string | null;
  readonly status: number;
  readonly attempts: number;
  readonly request: { url: string; headers: [string, string][]; bodySha256: string; redacted: string[] };
  readonly script: { sha256: string | null; kept: boolean };
  readonly blueprint: { status: number; body: { data: string } | null } | null;
  readonly error: { message: string; name: string | null; stack: string | null } | null;
  readonly answer: { status: number; headers: [string, string][]; bodySha256: string } | null;
  readonly replayOf?: { id: string; script: string; blueprint: string; comparison: Compared | null };
  readonly replays: string[];
}

interface Compared {
  readonly same: boolean;
  readonly code: [string | null, string | null];
  readonly status: [number, number];
  readonly headers: { name: string }[];
  readonly body: { same: boolean; firstDifference: number | null; excerpts?: [string, string] };
}

export function adminOf(system: System, token = ADMIN_TOKEN): Admin {
  const send: Admin['send'] = (method, path, body) =>
    sendRequest(system.adminPort, {
      hostname: 'admin',
      method,
      path,
      headers: [['Authorization', `Bearer ${token}`]],
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  const get: Admin['get'] = (path) => send('GET', path);
  return {
    send,
    get,
    async record(id) {
      let answer: Answer | undefined;
      await waitFor(
        `the record of ${id}`,
        async () => (answer = await get(`/invocations/${id}`)).status === 200,
      );
      return answer?.json() as AdminRecord;
    },
    list: async (query = '') =>
      ((await get(`/invocations?limit=500&${query}`)).json() as { invocations: [] }).invocations,
  };
}
