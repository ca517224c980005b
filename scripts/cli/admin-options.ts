import type { Command } from 'commander';
import { readDevState, type DevState } from '../dev-state.ts';
import { AdminClient, type AdminAddress } from './admin-client.ts';
import { CliError } from './errors.ts';
import { gatewayOption } from './invoke-request.ts';

export interface AdminOptions {
  readonly admin?: URL;
  readonly token?: string;
}

/** Adds `--admin` and `--token`. */
export function addAdminOptions(command: Command): Command {
  return command
    .option('--admin <url>', 'the admin interface of a gateway (default: LC500_ADMIN)', gatewayOption)
    .option(
      '--token <token>',
      'its token (default: ADMIN_TOKEN, which other users of the machine do not see)',
    );
}

/** The variables behind them, for the help. */
export const ADMIN_ENVIRONMENT = [
  '  LC500_ADMIN            URL of the admin interface, such as http://127.0.0.1:8081',
  '  ADMIN_TOKEN            bearer token of the admin interface',
  '',
  '  With LC500_ADMIN unset and no --admin, that of the `npm run dev` that runs in this folder is used.',
].join('\n');

/**
 * The admin interface that options or environment name, or else that of the `npm run dev` of the current folder.
 *
 * @throws CliError telling what is missing
 */
export async function openAdmin(options: AdminOptions, env = process.env): Promise<AdminClient> {
  const given = options.admin ?? (env['LC500_ADMIN'] ? urlFrom(env['LC500_ADMIN']) : undefined);
  const dev = (await readDevState())?.admin;
  return new AdminClient(given ? named(given, options, env, dev) : ofDev(options, dev));
}

function named(
  url: URL,
  options: AdminOptions,
  env: NodeJS.ProcessEnv,
  dev: DevState['admin'],
): AdminAddress {
  const ofThisDev = dev !== undefined && new URL(dev.url).origin === url.origin ? dev.token : undefined;
  const token = options.token ?? (env['ADMIN_TOKEN'] || ofThisDev);
  if (token === undefined)
    throw new CliError(
      `the admin interface at ${url.origin} needs a token: set ADMIN_TOKEN, or give --token`,
    );
  return { url, token, unreachableHint: 'check its address, and that its gateway runs with ADMIN_PORT' };
}

/** Dev's token goes with dev's address: one in the environment may be of another deployment. */
function ofDev(options: AdminOptions, dev: DevState['admin']): AdminAddress {
  if (!dev) {
    throw new CliError(
      'no admin interface is known: set LC500_ADMIN and ADMIN_TOKEN, or give --admin and --token\n' +
        'Beside a running npm run dev, in the same folder, nothing has to be set.',
    );
  }
  const token = options.token ?? dev.token;
  return { url: new URL(dev.url), token, unreachableHint: 'start npm run dev again, in this folder' };
}

function urlFrom(text: string): URL {
  try {
    return gatewayOption(text);
  } catch (error) {
    throw new CliError(`LC500_ADMIN=${JSON.stringify(text)}: ${(error as Error).message}`, { cause: error });
  }
}
