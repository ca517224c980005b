import { PutObjectCommand } from '@aws-sdk/client-s3';
import { startGateway } from '../../../gateway/gateway.ts';
import { loadConfig, type Config } from '../../../shared/config.ts';
import { scriptKeyOf } from '../../../shared/invocation.ts';
import { createLog } from '../../../shared/log.ts';
import { createS3 } from '../../../shared/s3.ts';
import { startThrowAwayServices } from '../../services/throw-away.ts';

/** A system of its own, on embedded services, with a gateway in this process and no runner. */
export interface World {
  readonly env: NodeJS.ProcessEnv;
  readonly config: Config;
  readonly port: number;
}

/** @param script the tenant's, under the name `work.localhost` */
export async function startWorld(
  stack: AsyncDisposableStack,
  script: string,
  extra: Readonly<Record<string, string>>,
): Promise<World> {
  const path = { PATH: process.env['PATH'] ?? '' };
  const services = stack.use(await startThrowAwayServices());
  const env = { ...path, ...services.env, HOST: '127.0.0.1', PORT: '0', LOG_LEVEL: 'error', ...extra };
  const config = loadConfig(env);
  const s3 = createS3(config);
  const Key = scriptKeyOf('work.localhost');
  await s3.send(new PutObjectCommand({ Bucket: config.AWS_BUCKET, Key, Body: Buffer.from(script) }));
  s3.destroy();
  const gateway = await startGateway(config, createLog('gateway', config.LOG_LEVEL));
  stack.defer(() => gateway.close());
  return { env, config, port: gateway.port };
}
