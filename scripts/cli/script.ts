import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { scriptKeyOf } from '../../shared/invocation.ts';
import { CliError } from './errors.ts';
import { EXIT_CODES, helpTopics, STORAGE_ENVIRONMENT } from './help.ts';
import { hostnameOption, type HostnameOption } from './hostname-option.ts';
import { inputName, readInput } from './input.ts';
import { checkScript, MAX_SCRIPT_BYTES } from './script-check.ts';
import { formatTable } from './table.ts';

/** Adds `lc500 script push | list | get | remove`. */
export function addScriptCommands(program: Command): void {
  const script = program
    .command('script')
    .description("Stores, lists, fetches and removes tenants' scripts.")
    .addHelpText('after', help('npx lc500 script push --hostname my.localhost --file my.js'));

  script
    .command('push')
    .description(
      "Stores a tenant's script; the next request runs it. Refused are scripts that are empty, larger than " +
        '1 MiB, not UTF-8, or do not compile as a classic script; they are compiled, never run.',
    )
    .requiredOption(
      '--hostname <hostname>',
      'the tenant; stored in lower case, IDNA as ASCII',
      hostnameOption,
    )
    .requiredOption('--file <file>', 'the JavaScript file; - is standard input')
    .addHelpText('after', help('npx lc500 script push --hostname my.localhost --file my.js'))
    .action(push);

  script
    .command('list')
    .description('Lists the hostnames that have a script, with size in bytes, last change and ETag.')
    .option('--json', 'print one JSON array of { hostname, key, size, lastModified, etag }')
    .addHelpText('after', help('npx lc500 script list --json'))
    .action(list);

  script
    .command('get')
    .description("Prints a tenant's script, or writes it into a file.")
    .requiredOption('--hostname <hostname>', 'the tenant', hostnameOption)
    .option('--output <file>', 'where to write it; - is standard output', '-')
    .addHelpText('after', help('npx lc500 script get --hostname my.localhost --output my.js'))
    .action(get);

  script
    .command('remove')
    .description("Removes a tenant's script; requests to it are then answered 404.")
    .requiredOption('--hostname <hostname>', 'the tenant', hostnameOption)
    .addHelpText('after', help('npx lc500 script remove --hostname my.localhost'))
    .action(remove);
}

function help(example: string): string {
  return helpTopics({ examples: [example], environment: STORAGE_ENVIRONMENT, exitCodes: EXIT_CODES });
}

async function push(options: { hostname: HostnameOption; file: string }): Promise<void> {
  const { given, hostname } = options.hostname;
  const bytes = await readInput(options.file, MAX_SCRIPT_BYTES);
  checkScript(bytes, inputName(options.file));
  // Loaded only when needed: the S3 client takes longer to load than all else together.
  const { openStorage } = await import('./storage.ts');
  const { putScript } = await import('./script-storage.ts');
  using storage = await openStorage();
  const etag = await putScript(storage, hostname, bytes);
  const lines = [
    ...(given === hostname ? [] : [['hostname', `${hostname} (given as ${given})`]]),
    ['key', `${scriptKeyOf(hostname)} in ${storage.place}`],
    ['size', `${bytes.length} bytes`],
    ['sha256', createHash('sha256').update(bytes).digest('hex').slice(0, 12)],
    ['etag', etag],
  ];
  process.stdout.write(formatTable(lines));
}

async function list(options: { json?: true }): Promise<void> {
  const { openStorage } = await import('./storage.ts');
  const { listScripts } = await import('./script-storage.ts');
  using storage = await openStorage();
  const scripts = await listScripts(storage);
  if (options.json) {
    process.stdout.write(`${JSON.stringify(scripts, undefined, 2)}\n`);
  } else if (scripts.length === 0) {
    process.stderr.write(`there are no scripts in ${storage.place}\n`);
  } else {
    const rows = scripts.map((script) => [
      script.hostname,
      String(script.size),
      script.lastModified ?? '-',
      script.etag,
    ]);
    process.stdout.write(formatTable([['HOSTNAME', 'SIZE', 'LAST MODIFIED', 'ETAG'], ...rows]));
  }
}

async function get(options: { hostname: HostnameOption; output: string }): Promise<void> {
  const { openStorage } = await import('./storage.ts');
  const { getScript } = await import('./script-storage.ts');
  using storage = await openStorage();
  const bytes = await getScript(storage, options.hostname.hostname);
  if (options.output === '-') {
    process.stdout.write(bytes);
    return;
  }
  await writeFile(options.output, bytes).catch((error: Error) => {
    throw new CliError(`cannot write ${options.output}: ${error.message}`, { cause: error });
  });
}

async function remove(options: { hostname: HostnameOption }): Promise<void> {
  const { hostname } = options.hostname;
  const { openStorage } = await import('./storage.ts');
  const { removeScript } = await import('./script-storage.ts');
  using storage = await openStorage();
  await removeScript(storage, hostname);
  process.stdout.write(`removed ${scriptKeyOf(hostname)} from ${storage.place}\n`);
}
