import { Command } from 'commander';
import manifest from '../../package.json' with { type: 'json' };
import { reportError } from './errors.ts';
import { EXIT_CODES, helpTopics } from './help.ts';
import { addInvocationCommands } from './invocations.ts';
import { markIds } from './invocation-id.ts';
import { addInvokeCommand } from './invoke.ts';
import { addReplayCommand } from './replay.ts';
import { addScriptCommands } from './script.ts';

/** Runs the command line `node lc500 …`, and leaves the outcome in `process.exitCode`. */
export async function main(argv: readonly string[]): Promise<void> {
  process.stdout.on('error', leaveWithReader);
  try {
    await createProgram().parseAsync(markIds(argv.slice(2)), { from: 'user' });
  } catch (error) {
    process.exitCode = reportError(error);
  }
}

function createProgram(): Command {
  const program = new Command('lc500')
    .description(
      'Puts scripts into the storage of an lc500 server, sends requests to them, and looks after what failed.',
    )
    .version(manifest.version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand('help [command]', 'print the help of a command')
    // Thrown rather than exited with, so that exit codes are given in one place; subcommands inherit all of this.
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, 'lc500: ')) })
    .showHelpAfterError('(--help tells how to call it)')
    .addHelpText('after', HELP);
  addScriptCommands(program);
  addInvokeCommand(program);
  addInvocationCommands(program);
  addReplayCommand(program);
  return program;
}

const HELP = helpTopics({
  examples: [
    'npm run dev                                                     (in another terminal)',
    'npx lc500 script push --hostname my.localhost --file my.js',
    'npx lc500 invoke --hostname my.localhost --path "/hello?x=1"',
    'npx lc500 invocations list --since 2h',
    'npx lc500 replay --help',
  ],
  environment: [
    '  `lc500 script` finds the storage by AWS_BUCKET, AWS_ENDPOINT and others; see `lc500 script --help`.',
    '  `lc500 invocations` and `lc500 replay` find a gateway by LC500_ADMIN and ADMIN_TOKEN.',
    '  Beside a running `npm run dev` nothing has to be set.',
  ].join('\n'),
  exitCodes: EXIT_CODES,
});

/** Whoever read the output has read enough (`lc500 script list | head -1`). */
function leaveWithReader(error: NodeJS.ErrnoException): void {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
}
