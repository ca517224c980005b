import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3';
import type { Config } from './config.ts';

/**
 * A client for the script storage: AWS itself, or any S3-compatible server.
 *
 * @param maxAttempts how often the SDK asks before it gives up; 1 for whoever asks again by itself
 */
export function createS3(config: Config, maxAttempts = 2): S3Client {
  const { AWS_ENDPOINT, AWS_REGION, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY } = config;
  const options: S3ClientConfig = {
    // Other servers answer at a path rather than at a hostname per bucket, and care little about the region.
    ...(AWS_ENDPOINT ? { endpoint: AWS_ENDPOINT, forcePathStyle: true, region: 'us-east-1' } : {}),
    ...(AWS_REGION ? { region: AWS_REGION } : {}),
    ...(AWS_ACCESS_KEY_ID && AWS_SECRET_ACCESS_KEY
      ? { credentials: { accessKeyId: AWS_ACCESS_KEY_ID, secretAccessKey: AWS_SECRET_ACCESS_KEY } }
      : {}),
    // Checksums that AWS alone understands break other servers; they are made where an operation requires them.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    maxAttempts,
  };
  return new S3Client(options);
}
