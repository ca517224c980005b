import { loadConfig } from '../../shared/config.ts';
import { freePort, isPortFree } from '../services/ports.ts';

/** Where dev listens. */
export interface Settings {
  readonly port: number;
  readonly adminPort: number;
}

/**
 * Validates the environment, and sees that both ports are to be had before anything is started.
 * Port 0 becomes a free one.
 *
 * @throws ConfigError, or Error naming the port that is taken
 */
export async function readSettings(env: NodeJS.ProcessEnv): Promise<Settings> {
  const config = loadConfig(env);
  return {
    port: await usable('PORT', config.PORT),
    adminPort: await usable('ADMIN_PORT', config.ADMIN_PORT ?? 8081),
  };
}

async function usable(name: string, port: number): Promise<number> {
  if (port === 0) return freePort();
  if (await isPortFree(port)) return port;
  throw new Error(
    `${name} ${port} cannot be had on 127.0.0.1, probably because something listens there; ` +
      `choose another one: ${name}=${port + 10} npm run dev`,
  );
}
