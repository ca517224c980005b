import { Option, type Command } from 'commander';
import { ERROR_CODES } from '../../shared/errors.ts';
import { addAdminOptions, ADMIN_ENVIRONMENT } from './admin-options.ts';
import { EXIT_CODES, helpTopics } from './help.ts';
import { hostnameOption } from './hostname-option.ts';
import { curlInvocation, deleteInvocation, logInvocation } from './invocation-actions.ts';
import { invocationId } from './invocation-id.ts';
import type { FixtureOptions } from './invocation-fixture.ts';
import { showInvocation } from './invocation-show.ts';
import { limitOption, listInvocations, shaOption } from './invocations-list.ts';
import { gatewayOption } from './invoke-request.ts';
import { momentOption } from './moment.ts';

/** Adds `lc500 invocations list | show | log | curl | delete | fixture`. */
export function addInvocationCommands(program: Command): void {
  const invocations = program
    .command('invocations')
    .description('Looks at the invocations that are kept: those that failed, and what replays of them gave.')
    .addHelpText('after', help('list --since 2h'));
  addListCommand(invocations);
  ofOne(invocations, 'show', 'Prints one: request, script, blueprint, error with its place, times, console.')
    .option('--json', 'print the record as JSON, with console and frames')
    .action(showInvocation);
  ofOne(invocations, 'log', "Prints the script's console.")
    .option('--json', 'print one JSON array of { level, text }')
    .action(logInvocation);
  ofOne(invocations, 'curl', 'Prints a command for a POSIX shell that sends the request again.')
    .option(
      '--gateway <url>',
      'where to send it (default: that of the npm run dev of this folder)',
      gatewayOption,
    )
    .option('--body-file <file>', 'write the body into a file that the command reads')
    .action(curlInvocation);
  ofOne(
    invocations,
    'fixture',
    'Writes request, blueprint and script as files, and a test that runs them in a sandbox on this machine: it ' +
      'fails as the invocation did, and passes when the script is mended.',
  )
    .option('--out <folder>', 'where to write it (default: failures/<id>)')
    .action(async (id: string, options: FixtureOptions) => {
      // Loaded only when needed: with it comes all that a runner needs to run a script.
      const { writeFixture } = await import('./invocation-fixture.ts');
      await writeFixture(id, options);
    });
  ofOne(invocations, 'delete', 'Removes one from what is kept.').action(deleteInvocation);
}

function addListCommand(invocations: Command): void {
  const list = invocations
    .command('list')
    .description('Lists them, newest first.')
    .option('--hostname <hostname>', 'of one tenant', hostnameOption)
    .addOption(new Option('--code <code>', 'that failed with an error code').choices(ERROR_CODES))
    .addOption(new Option('--state <state>', 'that failed, or were answered').choices(['failed', 'answered']))
    .option('--since <time>', 'accepted since: a time ago (30m, 2h, 7d) or a time (ISO 8601)', momentOption)
    .option('--until <time>', 'accepted before', momentOption)
    .option('--script <sha256>', 'that ran this version of a script', shaOption)
    .option('--replay <id>', 'outcomes of one replay of many', invocationId)
    .option('--limit <number>', 'at most so many', limitOption, 50)
    .option('--json', 'print one JSON array')
    .addHelpText('after', help('list --hostname my.localhost --code script_error --since 2h'));
  addAdminOptions(list).action(listInvocations);
}

function ofOne(invocations: Command, name: string, description: string): Command {
  const command = invocations
    .command(name)
    .description(description)
    .argument('<id>', 'its id: the X-Request-Id of its answer', invocationId)
    .addHelpText('after', help(`${name} V1StGXR8_Z5jdHi6B-myT`));
  return addAdminOptions(command);
}

function help(example: string): string {
  return helpTopics({
    examples: [`npx lc500 invocations ${example}`],
    environment: ADMIN_ENVIRONMENT,
    exitCodes: EXIT_CODES,
  });
}
