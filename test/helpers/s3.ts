import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureBucket, startS3 } from '../../scripts/services/s3.ts';

/** An S3 server of a test's own. */
export interface TestS3 extends AsyncDisposable {
  /** The environment that leads to its bucket. */
  readonly env: Readonly<Record<string, string>>;
  readonly bucket: string;
}

/** Starts an S3 server with one empty bucket, on a free port, its data in a temporary folder. */
export async function startTestS3(): Promise<TestS3> {
  const directory = await mkdtemp(join(tmpdir(), 'lc500-s3-'));
  // With an empty environment it never takes the place that the developer's own one names.
  const service = await startS3({ directory, env: { AWS_BUCKET: 'scripts' }, onCrash: () => undefined });
  await ensureBucket(service.env);
  return {
    env: service.env,
    bucket: service.env.AWS_BUCKET,
    [Symbol.asyncDispose]: async () => {
      await service[Symbol.asyncDispose]();
      await rm(directory, { recursive: true });
    },
  };
}
