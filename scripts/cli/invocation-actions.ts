import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { openAdmin, type AdminOptions } from './admin-options.ts';
import { curlCommand } from './curl-command.ts';
import { CliError } from './errors.ts';
import { defaultGateway } from './invoke.ts';
import { printable } from './printable.ts';

/** `lc500 invocations log`. */
export async function logInvocation(id: string, options: AdminOptions & { json?: true }): Promise<void> {
  const admin = await openAdmin(options);
  const lines = await admin.log(id);
  if (options.json) process.stdout.write(`${JSON.stringify(lines, undefined, 2)}\n`);
  else process.stdout.write(lines.map(({ level, text }) => printable(`${level}: ${text}\n`)).join(''));
}

/** `lc500 invocations delete`. */
export async function deleteInvocation(id: string, options: AdminOptions): Promise<void> {
  const admin = await openAdmin(options);
  await admin.delete(id);
  process.stdout.write(`deleted ${id}\n`);
}

interface CurlOptions extends AdminOptions {
  readonly gateway?: URL;
  readonly bodyFile?: string;
}

/** `lc500 invocations curl`. */
export async function curlInvocation(id: string, options: CurlOptions): Promise<void> {
  const admin = await openAdmin(options);
  const [{ request }, body] = await Promise.all([admin.record(id), admin.part(id, 'body')]);
  const gateway = options.gateway ?? (await defaultGateway());
  const file = options.bodyFile === undefined ? undefined : resolve(options.bodyFile);
  if (file !== undefined) await save(file, body);
  process.stdout.write(curlCommand({ ...request, body }, gateway.origin, file));
  if (request.redacted.length > 0)
    process.stderr.write(
      `lc500: without ${request.redacted.join(', ')}, which the record does not show; add --header '…' where needed\n`,
    );
}

async function save(file: string, body: Buffer): Promise<void> {
  await writeFile(file, body, { mode: 0o600 }).catch((error: Error) => {
    throw new CliError(`cannot write ${file}: ${error.message}`, { cause: error });
  });
}
