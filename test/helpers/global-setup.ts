import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { withPassword } from './redis-password.ts';
import { startServices, type Services } from '../../scripts/services/services.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** The environment that leads to the Redis and the S3 server of this run. */
    services: Services['env'];
  }
}

/** Redis and S3 for the whole run, their data in a temporary folder. `REDIS_URL` may name a Redis that runs already. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const directory = await mkdtemp(join(tmpdir(), 'lc500-test-'));
  const removeDirectory = () => rm(directory, { recursive: true, force: true });
  try {
    // Nothing else of the developer's environment: the storage of a test run is always a throw-away one.
    const env = { PATH: process.env['PATH'] ?? '', REDIS_URL: process.env['REDIS_URL'] ?? '' };
    const services = await startServices({ directory, env, onCrash: complain });
    const { REDIS_URL } = services.env;
    project.provide('services', {
      ...services.env,
      // One that runs already is the developer's, and its users are none of ours.
      REDIS_URL: env.REDIS_URL ? REDIS_URL : await withPassword(REDIS_URL),
    });
    return async () => {
      await services[Symbol.asyncDispose]();
      await removeDirectory();
    };
  } catch (error) {
    await removeDirectory();
    throw error;
  }
}

function complain(name: string): void {
  console.error(`${name} has ended in the middle of the tests`);
}
