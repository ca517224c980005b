import { join } from 'node:path';
import { spawnOwned } from '../services/children.ts';
import type { Ending } from './ending.ts';

const ROOT = join(import.meta.dirname, '../..');
/** What a part gets beyond its own grace period before it is killed. */
const MARGIN_MS = 1000;

/**
 * Starts one of lc500's own processes; disposing it ends it: SIGTERM, and SIGKILL when it takes longer than
 * its grace period.
 *
 * @param name process type, the folder with its `main.ts`
 * @param env its whole environment
 */
export async function startPart(
  name: 'gateway' | 'runner',
  env: NodeJS.ProcessEnv,
  ending: Ending,
): Promise<AsyncDisposable> {
  const child = await spawnOwned(process.execPath, [join(ROOT, name, 'main.ts')], {
    env,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  void child.exited.then(({ expected, how }) => {
    if (!expected) ending.crashed(name, how);
  });
  const graceMs = Number(env['SHUTDOWN_GRACE_MS']) + MARGIN_MS;
  return { [Symbol.asyncDispose]: () => child.stop(graceMs) };
}
