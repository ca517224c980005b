import { startRedis } from './redis.ts';
import { ensureBucket, startS3 } from './s3.ts';

/** What lc500 needs beside itself: Redis and a script storage, reachable with `env`. */
export interface Services extends AsyncDisposable {
  readonly env: {
    readonly REDIS_URL: string;
    readonly AWS_ENDPOINT: string;
    readonly AWS_REGION: string;
    readonly AWS_BUCKET: string;
    readonly AWS_ACCESS_KEY_ID: string;
    readonly AWS_SECRET_ACCESS_KEY: string;
  };
  /** One readable line per thing that was started; what the environment names is not started. */
  readonly embedded: readonly string[];
}

export interface ServicesOptions {
  /** Folder for the data of what is started; made when it is not there. */
  readonly directory: string;
  /** `REDIS_URL` and `AWS_ENDPOINT` name services that run already; what they leave out is started. */
  readonly env: NodeJS.ProcessEnv;
  /** Called with a service's name when it ends without having been told to. */
  readonly onCrash: (name: string) => void;
  /** Called at each request that an embedded script storage gets. */
  readonly onS3Request?: () => void;
}

/**
 * Services for development and tests: those that the environment names, embedded ones for the rest.
 * The bucket exists afterwards. Disposing stops all that was started, and may be done more than once.
 *
 * @throws Error that says what is missing and how to get it
 */
export async function startServices(options: ServicesOptions): Promise<Services> {
  await using starting = new AsyncDisposableStack();
  const redis = starting.use(await startRedis(options));
  const s3 = starting.use(await startS3(options));
  await ensureBucket(s3.env);

  const started = starting.move();
  let stopped: Promise<void> | undefined;
  return {
    env: { REDIS_URL: redis.url, ...s3.env },
    embedded: [redis.embedded, s3.embedded].filter((line) => line !== undefined),
    [Symbol.asyncDispose]: () => (stopped ??= started.disposeAsync()),
  };
}
