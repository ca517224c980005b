import { CreateBucketCommand, HeadBucketCommand } from '@aws-sdk/client-s3';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { loadConfig } from '../../shared/config.ts';
import { createS3 } from '../../shared/s3.ts';
import type { Services, ServicesOptions } from './services.ts';

type S3Env = Omit<Services['env'], 'REDIS_URL'>;

/** A script storage to be used; disposing it stops what was started for it. */
export interface S3Service extends AsyncDisposable {
  readonly env: S3Env;
  /** What was started, for a reader; `undefined` when the environment names the storage. */
  readonly embedded: string | undefined;
}

/** The storage of `AWS_ENDPOINT`; else a server in this process, with its data under `<directory>/s3`. */
export async function startS3({ directory, env, onS3Request }: ServicesOptions): Promise<S3Service> {
  const AWS_BUCKET = env['AWS_BUCKET'] || 'lc500';
  const AWS_REGION = env['AWS_REGION'] || 'us-east-1';
  if (env['AWS_ENDPOINT']) {
    const given = {
      AWS_ENDPOINT: env['AWS_ENDPOINT'],
      // Empty counts as unset: the SDK's own credential chain.
      AWS_ACCESS_KEY_ID: env['AWS_ACCESS_KEY_ID'] ?? '',
      AWS_SECRET_ACCESS_KEY: env['AWS_SECRET_ACCESS_KEY'] ?? '',
    };
    return {
      env: { AWS_BUCKET, AWS_REGION, ...given },
      embedded: undefined,
      [Symbol.asyncDispose]: async () => undefined,
    };
  }
  const server = await runS3rver(join(directory, 's3'), onS3Request);
  const credentials = { AWS_ACCESS_KEY_ID: 'S3RVER', AWS_SECRET_ACCESS_KEY: 'S3RVER' };
  return {
    env: { AWS_ENDPOINT: `http://127.0.0.1:${server.port}`, AWS_REGION, AWS_BUCKET, ...credentials },
    embedded: `s3rver ${server.version} on 127.0.0.1:${server.port}`,
    [Symbol.asyncDispose]: server.close,
  };
}

/** Makes the bucket unless it is there. */
export async function ensureBucket(env: S3Env): Promise<void> {
  const s3 = createS3(loadConfig({ ...env }));
  const bucket = { Bucket: env.AWS_BUCKET };
  try {
    await s3.send(new HeadBucketCommand(bucket)).catch(async (error: { name?: string }) => {
      if (error.name !== 'NotFound') throw error;
      await s3.send(new CreateBucketCommand(bucket));
    });
  } finally {
    s3.destroy();
  }
}

async function runS3rver(directory: string, onRequest?: () => void) {
  // Loaded only when it is needed: it takes a good part of the start.
  const { default: S3rver } = await import('@20minutes/s3rver');
  const { default: manifest } = await import('@20minutes/s3rver/package.json', { with: { type: 'json' } });
  const { WholeObjectStore } = await import('./object-store.ts');
  await mkdir(directory, { recursive: true });
  const server = new S3rver({
    address: '127.0.0.1',
    port: 0,
    directory,
    silent: true,
    // The way in which current SDKs sign a list call is not known to it.
    allowMismatchedSignatures: true,
  });
  server.store = server.context.store = new WholeObjectStore(directory);
  const { port } = await server.run();
  if (onRequest) server.httpServer.on('request', onRequest);
  const close = async (): Promise<void> => {
    const closed = server.close();
    server.httpServer.closeAllConnections();
    await closed;
  };
  return { port, version: manifest.version, close };
}
