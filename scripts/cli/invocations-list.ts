import { InvalidArgumentError } from 'commander';
import type { AdminClient } from './admin-client.ts';
import { openAdmin, type AdminOptions } from './admin-options.ts';
import type { Summary } from './admin-schema.ts';
import type { HostnameOption } from './hostname-option.ts';
import { printableLine } from './printable.ts';
import { formatTable } from './table.ts';

interface ListOptions extends AdminOptions {
  readonly hostname?: HostnameOption;
  readonly code?: string;
  readonly state?: string;
  readonly since?: string;
  readonly until?: string;
  readonly script?: string;
  readonly replay?: string;
  readonly limit: number;
  readonly json?: true;
}

/** `lc500 invocations list`. */
export async function listInvocations(options: ListOptions): Promise<void> {
  const { found, more } = await collect(await openAdmin(options), options);
  if (options.json) {
    process.stdout.write(`${JSON.stringify(found, undefined, 2)}\n`);
  } else if (found.length === 0) {
    process.stderr.write('no kept invocation is like that\n');
  } else {
    process.stdout.write(formatTable([HEAD, ...found.map(row)]));
  }
  if (more) process.stderr.write(`there are more: narrow it, or --limit ${options.limit * 10}\n`);
}

const MAX_PAGE = 500;

async function collect(
  admin: AdminClient,
  options: ListOptions,
): Promise<{ found: Summary[]; more: boolean }> {
  const { hostname, code, state, since, until, script, replay: run, limit } = options;
  const found: Summary[] = [];
  let cursor: string | undefined;
  do {
    const size = Math.min(MAX_PAGE, limit - found.length);
    const filter = { tenant: hostname?.hostname, code, state, since, until, script, run };
    const page = await admin.list({ ...filter, limit: size, cursor });
    found.push(...page.invocations);
    cursor = page.next;
  } while (cursor !== undefined && found.length < limit);
  return { found: found.slice(0, limit), more: cursor !== undefined || found.length > limit };
}

const HEAD = ['ID', 'ACCEPTED', 'TENANT', 'OUTCOME', 'STATUS', 'REQUEST', 'SCRIPT', 'REPLAY OF'];
const MAX_URL = 60;

function row({ id, acceptedAt, tenant, code, status, method, url, script, replayOf }: Summary): string[] {
  const short = url.length > MAX_URL ? `${url.slice(0, MAX_URL)}…` : url;
  const cells = [id, acceptedAt, tenant, code ?? 'answered', String(status), `${method} ${short}`];
  return [...cells, script?.slice(0, 12) ?? '-', replayOf ?? ''].map(printableLine);
}

/** Parser of `--limit`. */
export function limitOption(given: string): number {
  if (/^[1-9]\d{0,6}$/.test(given)) return Number(given);
  throw new InvalidArgumentError('Expected a whole number from 1 to 9999999.');
}

/** Parser of `--script` where it names a version. */
export function shaOption(given: string): string {
  if (/^[0-9a-f]{64}$/i.test(given)) return given.toLowerCase();
  throw new InvalidArgumentError(
    'Expected a SHA-256 of 64 hexadecimal digits, as `lc500 invocations show` has it.',
  );
}
