import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startServices, type Services, type ServicesOptions } from './services.ts';

/**
 * Services for one measurement, with their data in a temporary folder that goes with them. Those that the environment
 * names are left alone.
 *
 * @throws Error as `startServices`
 */
export async function startThrowAwayServices(
  options: Pick<ServicesOptions, 'onS3Request'> = {},
): Promise<Services> {
  await using stack = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), 'lc500-measured-'));
  stack.defer(() => rm(directory, { recursive: true, force: true }));
  const env = { PATH: process.env['PATH'] };
  const services = stack.use(await startServices({ ...options, directory, env, onCrash }));
  const owned = stack.move();
  return { ...services, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

function onCrash(name: string): void {
  process.stderr.write(`${name} has ended by itself\n`);
}
