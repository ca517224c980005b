import { Option, type Command } from 'commander';
import { ERROR_CODES } from '../../shared/errors.ts';
import { addAdminOptions, ADMIN_ENVIRONMENT } from './admin-options.ts';
import { EXIT_CODES, helpTopics } from './help.ts';
import { hostnameOption } from './hostname-option.ts';
import { invocationId } from './invocation-id.ts';
import { momentOption } from './moment.ts';
import { rateOption } from './rate.ts';
import type { ReplayManyOptions } from './replay-many.ts';
import { replayMatrix } from './replay-matrix.ts';
import { replayOne, type ReplayOneOptions } from './replay-one.ts';

/** Adds `lc500 replay`. */
export function addReplayCommand(program: Command): void {
  const replay = program
    .command('replay')
    .description(
      'Runs kept invocations again, as new ones, behind live requests: one (with its id) or all failed ones that ' +
        'are alike (--failed). What a replay gives is kept, and compared with the original; no client gets it.',
    )
    .argument('[id]', 'id of one invocation', invocationId)
    .option('--script <which>', 'original: the version that ran; current: what is deployed now; or a file')
    .addOption(
      new Option(
        '--blueprint <which>',
        'original: as it was; fresh: asked for anew (default: original)',
      ).choices(['original', 'fresh']),
    )
    .option('--unsafe', 'also POST and other methods that are not safe: the script may have effects outside')
    .option('--again', 'though another replay of it is under way')
    .option(
      '--matrix',
      'run original and current script with original and fresh blueprint, and tell what matters',
    )
    .option('--failed', 'replay all failed ones that the next options leave:')
    .option('--hostname <hostname>', '  of one tenant', hostnameOption)
    .addOption(new Option('--code <code>', '  that failed with an error code').choices(ERROR_CODES))
    .option('--since <time>', '  accepted since: a time ago (30m, 2h, 7d) or a time (ISO 8601)', momentOption)
    .option('--until <time>', '  accepted before', momentOption)
    .option('--rate <rate>', 'begin so many: 5/s, 30/m (default: 10/s)', rateOption)
    .option('--dry-run', 'only count them')
    .option('--yes', 'do not ask first (asked is only on a terminal)')
    .option('--json', 'print the outcome as JSON')
    .addHelpText('after', HELP);
  addAdminOptions(replay).action(dispatch);
}

const HELP = helpTopics({
  examples: [
    'npx lc500 replay V1StGXR8_Z5jdHi6B-myT --script my-mended.js',
    'npx lc500 replay V1StGXR8_Z5jdHi6B-myT --matrix',
    'npx lc500 replay --failed --hostname my.localhost --code script_error --since 2h --script current --dry-run',
    'npx lc500 replay --failed --hostname my.localhost --code script_error --since 2h --script current --rate 5/s',
  ],
  environment: ADMIN_ENVIRONMENT,
  exitCodes: [
    [0, 'answered; with --matrix, --dry-run: done'],
    [1, 'failed again, or some did, or were left out; or not replayed; the reason is on standard error'],
    EXIT_CODES[2],
    [130, 'stopped with Ctrl-C: with --failed the gateway begins no further one'],
  ],
});

type ReplayOptions = ReplayOneOptions & ReplayManyOptions & { matrix?: true; failed?: true };

const ONLY_MANY = ['hostname', 'code', 'since', 'until', 'rate', 'dryRun', 'yes'] as const;

async function dispatch(id: string | undefined, options: ReplayOptions, command: Command): Promise<void> {
  const problem = contradiction(id, options);
  if (problem !== undefined) command.error(`error: ${problem}`);
  if (id === undefined) {
    const { replayMany } = await import('./replay-many.ts');
    await replayMany(options);
  } else if (options.matrix) await replayMatrix(id, options);
  else await replayOne(id, options);
}

function contradiction(id: string | undefined, options: ReplayOptions): string | undefined {
  if ((id === undefined) === !options.failed) return 'expected either the id of an invocation, or --failed';
  if (options.failed)
    return options.matrix || options.again ? '--matrix and --again are for one invocation' : undefined;
  const many = ONLY_MANY.find((name) => options[name] !== undefined);
  if (many) return `--${many.replace('R', '-r')} goes with --failed`;
  if (options.matrix && (options.script !== undefined || options.blueprint !== undefined))
    return '--matrix chooses --script and --blueprint itself';
  return undefined;
}
