import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { loadConfig } from '../../shared/config.ts';
import { createS3 } from '../../shared/s3.ts';
import { removeDevState, writeDevState } from '../dev-state.ts';
import { startServices, type Services } from '../services/services.ts';
import { startBlueprints } from './blueprints.ts';
import type { Ending } from './ending.ts';
import { greeting } from './greeting.ts';
import { startDevAutoscaler } from './autoscaler.ts';
import { startPart } from './part.ts';
import { untilReady } from './probe.ts';
import { pushSamples, watchSamples } from './samples.ts';
import { readSettings, type Settings } from './settings.ts';

/** Short, because nobody wants to wait for a Ctrl-C; what is in flight on one's own machine is soon done. */
const GRACE_MS = '5000';

/**
 * Brings the whole system up, in the order in which its parts need each other, and prints where it is.
 * What was started lies on `system`, so that disposing that stops it in the reverse order: gateway, runner,
 * services.
 *
 * @param autoscale let an autoscaler start and drain the runners, as load asks for
 * @throws Error when a part does not come up; AbortError when the end comes before that
 */
export async function bringUp(
  system: AsyncDisposableStack,
  env: NodeJS.ProcessEnv,
  ending: Ending,
  autoscale = false,
): Promise<void> {
  const settings = await readSettings(env);
  const directory = join(process.cwd(), '.lc500');
  const onCrash = (name: string): void => ending.crashed(name);
  const services = system.use(await startServices({ directory, env, onCrash }));
  ending.signal.throwIfAborted();
  await provideSamples(system, services.env);
  const blueprints = system.use(await startBlueprints());
  ending.signal.throwIfAborted();

  const partEnv = environment(env, services, settings, blueprints.target);
  // Only the gateway needs it; whoever runs here finds it in the state.
  const adminToken = env['ADMIN_TOKEN'] || randomBytes(24).toString('base64url');
  if (autoscale) await startDevAutoscaler(system, partEnv, ending);
  else system.use(await startPart('runner', partEnv, ending));
  system.use(await startPart('gateway', { ...partEnv, ADMIN_TOKEN: adminToken }, ending));
  await untilReady(settings.adminPort, ending.signal);

  await announce(system, services, partEnv, settings, adminToken);
  const surroundings = { embedded: services.embedded, blueprints: partEnv['BLUEPRINT_TARGET'] ?? 'none' };
  process.stdout.write(await greeting(settings, surroundings));
}

async function provideSamples(system: AsyncDisposableStack, env: Services['env']): Promise<void> {
  const s3 = createS3(loadConfig({ ...env }));
  system.defer(() => s3.destroy());
  const bucket = { s3, name: env.AWS_BUCKET };
  await pushSamples(bucket);
  system.use(watchSamples(bucket));
}

function environment(
  env: NodeJS.ProcessEnv,
  services: Services,
  settings: Settings,
  blueprints: string,
): NodeJS.ProcessEnv {
  return {
    ...env,
    ...services.env,
    HOST: '127.0.0.1',
    PORT: String(settings.port),
    ADMIN_PORT: String(settings.adminPort),
    // An empty variable counts as unset.
    QUEUE_PREFIX: env['QUEUE_PREFIX'] || 'lc500',
    BLUEPRINT_TARGET: env['BLUEPRINT_TARGET'] || blueprints,
    SCRIPT_REVALIDATE_MS: '0',
    CALLBACK_TARGETS: env['CALLBACK_TARGETS'] || 'any',
    SHUTDOWN_GRACE_MS: env['SHUTDOWN_GRACE_MS'] || GRACE_MS,
    LOG_LEVEL: env['LOG_LEVEL'] || 'info',
  };
}

/** Lets the command line find this system. */
async function announce(
  system: AsyncDisposableStack,
  services: Services,
  partEnv: NodeJS.ProcessEnv,
  settings: Settings,
  adminToken: string,
): Promise<void> {
  const env = { ...services.env, QUEUE_PREFIX: partEnv['QUEUE_PREFIX'] ?? '' };
  system.defer(() => removeDevState());
  await writeDevState({
    env,
    gateway: `http://127.0.0.1:${settings.port}`,
    admin: { url: `http://127.0.0.1:${settings.adminPort}`, token: adminToken },
  });
}
