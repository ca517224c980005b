import type { S3Client } from '@aws-sdk/client-s3';
import { ConfigError, loadConfig, type Config } from '../../shared/config.ts';
import { createS3 } from '../../shared/s3.ts';
import { DEV_STATE_FILE, readDevState } from '../dev-state.ts';
import { CliError } from './errors.ts';

/** The bucket that the scripts lie in. */
export interface Storage extends Disposable {
  readonly s3: S3Client;
  readonly bucket: string;
  /** Bucket and server, for people; without credentials. */
  readonly place: string;
  /** What to do when the server does not answer. */
  readonly unreachableHint: string;
}

/**
 * The storage that the environment names, or else that of the `npm run dev` of the current folder.
 *
 * @throws CliError naming every variable that is wrong or missing
 */
export async function openStorage(env: NodeJS.ProcessEnv = process.env): Promise<Storage> {
  const dev = env.AWS_BUCKET || env.AWS_ENDPOINT ? undefined : await readDevState();
  // Dev's settings belong together: a region or key of some other account must not mix with them.
  const config = loadStorageConfig(dev ? { ...env, ...dev.env } : env);
  const s3 = createS3(config);
  const bucket = config.AWS_BUCKET as string;
  return {
    s3,
    bucket,
    place: `bucket ${bucket} at ${serverName(config.AWS_ENDPOINT)}`,
    unreachableHint: dev
      ? `that address is from ${DEV_STATE_FILE}: start npm run dev again, or remove that file`
      : 'check AWS_ENDPOINT, or start a server with npm run dev',
    [Symbol.dispose]: () => s3.destroy(),
  };
}

function loadStorageConfig(env: NodeJS.ProcessEnv): Config {
  try {
    return loadConfig(env, ['AWS_BUCKET']);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const hint = env.AWS_BUCKET
      ? ''
      : '\nBeside a running npm run dev, in the same folder, nothing has to be set.';
    throw new CliError(`${error.message}${hint}`, { cause: error });
  }
}

function serverName(endpoint: string | undefined): string {
  if (!endpoint) return 'AWS';
  const url = new URL(endpoint);
  return `${url.origin}${url.pathname === '/' ? '' : url.pathname}`;
}
