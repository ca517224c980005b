import { join } from 'node:path';
import { startAutoscaler } from '../autoscale/autoscaler.ts';
import { LocalAdapter } from '../autoscale/local-adapter.ts';
import type { StartedRunner } from '../autoscale/local-runner.ts';
import { loadConfig } from '../../shared/config.ts';
import { createLog } from '../../shared/log.ts';
import { readRunners } from '../../shared/signals.ts';
import { spawnOwned, type OwnedChild } from '../services/children.ts';
import type { Ending } from './ending.ts';

const ENTRY = join(import.meta.dirname, '../../runner/main.ts');
const MARGIN_MS = 1000;

/**
 * Starts an autoscaler in this process, whose runners end with it: in development nothing is left behind.
 * Disposing `system` stops the decisions, and then the runners.
 */
export async function startDevAutoscaler(
  system: AsyncDisposableStack,
  env: NodeJS.ProcessEnv,
  ending: Ending,
): Promise<void> {
  const config = loadConfig(env);
  const log = createLog('autoscaler', config.LOG_LEVEL);
  const runners = new Set<OwnedChild>();
  const spawn = async (): Promise<StartedRunner> => {
    ending.signal.throwIfAborted();
    const child = await spawnOwned(process.execPath, [ENTRY], {
      env,
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    runners.add(child);
    void child.exited.then(() => runners.delete(child));
    return child;
  };
  const graceMs = config.SHUTDOWN_GRACE_MS + MARGIN_MS;
  system.defer(async () => {
    await Promise.all([...runners].map((child) => child.stop(graceMs)));
  });
  const autoscaler = await startAutoscaler(
    config,
    log,
    (redis) => new LocalAdapter(() => readRunners(redis, config.QUEUE_PREFIX), spawn, log),
  );
  system.defer(() => autoscaler.close());
}
