import { readdir, writeFile } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { decodeBody } from '../../shared/body.ts';
import { writeFixtureFiles, type Fixture } from '../sandbox/fixture.ts';
import type { AdminClient } from './admin-client.ts';
import { openAdmin, type AdminOptions } from './admin-options.ts';
import type { InvocationRecord } from './admin-schema.ts';
import { CliError } from './errors.ts';
import { fixtureConfig, fixtureTest } from './fixture-test.ts';
import { shellWord } from './shell.ts';

export interface FixtureOptions extends AdminOptions {
  /** A folder. */
  readonly out?: string;
}

/** `lc500 invocations fixture`. */
export async function writeFixture(id: string, options: FixtureOptions): Promise<void> {
  const admin = await openAdmin(options);
  const record = await admin.record(id);
  const fixture = await fixtureOf(admin, record);
  const folder = resolve(options.out ?? join('failures', id));
  await requireEmpty(folder);
  try {
    await writeFixtureFiles(folder, fixture);
    await writeFile(join(folder, 'failure.test.ts'), fixtureTest(record, folder));
    await writeFile(join(folder, 'vitest.config.ts'), fixtureConfig(folder));
  } catch (error) {
    throw new CliError(`cannot write into ${folder}: ${(error as Error).message}`, { cause: error });
  }
  const shown = shellWord(relative('.', folder) || '.');
  process.stdout.write(`wrote ${shown}; run it with:\n  npx vitest run --root ${shown}\n`);
  for (const note of notesOn(record)) process.stderr.write(`lc500: ${note}\n`);
}

async function fixtureOf(admin: AdminClient, record: InvocationRecord): Promise<Fixture> {
  const { id, request, blueprint, limits, script } = record;
  if (!script.kept)
    throw new CliError(
      `invocation ${id} failed with ${record.code} and kept no script: there is nothing to run`,
    );
  const { method, url, headers } = request;
  const [body, source] = await Promise.all([admin.part(id, 'body'), admin.part(id, 'script')]);
  return {
    request: { method, url, headers, body },
    script: source,
    blueprint: {
      status: blueprint?.status ?? 200,
      headers: blueprint?.headers ?? [],
      body: blueprint?.body ? decodeBody(blueprint.body) : Buffer.alloc(0),
    },
    limits: named(limits),
  };
}

/** The variables behind the record's limits that a sandbox knows of. */
const VARIABLE_OF = {
  scriptTimeoutMs: 'SCRIPT_TIMEOUT_MS',
  scriptMemoryMb: 'SCRIPT_MEMORY_MB',
  sandboxMemoryMb: 'SANDBOX_MEMORY_MB',
  maxResponseBytes: 'MAX_RESPONSE_BYTES',
} as const;

function named(limits: InvocationRecord['limits']): Record<string, number> {
  return Object.fromEntries(
    Object.entries(VARIABLE_OF).flatMap(([name, variable]) => {
      const value = limits[name];
      return value === undefined ? [] : [[variable, value]];
    }),
  );
}

/** Nobody's work is written over. */
async function requireEmpty(folder: string): Promise<void> {
  const there = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw new CliError(`cannot write into ${folder}: ${error.message}`, { cause: error });
  });
  if (there.length > 0)
    throw new CliError(`${folder} is not empty; remove it, or choose another folder with --out`);
}

function notesOn({ request, blueprint, code }: InvocationRecord): string[] {
  const { redacted } = request;
  const isFault =
    code === null || ['script_error', 'invalid_response', 'memory_limit', 'script_timeout'].includes(code);
  return [
    ...(redacted.length > 0 ? [`without ${redacted.join(', ')}: add them to request.json where needed`] : []),
    ...(blueprint && blueprint.bodyBytes > 0 && !blueprint.body ? ["the blueprint's body is not kept"] : []),
    ...(isFault
      ? []
      : [`it failed with ${code}, which is not the script's doing: the test may pass as it is`]),
  ];
}
