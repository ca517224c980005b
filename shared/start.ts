import { ConfigError, loadConfig, type Config } from './config.ts';
import { setHeapGrowth } from './heap.ts';
import { createLog, type Logger } from './log.ts';
import { shutdownOnSignal, type Running } from './shutdown.ts';

/**
 * The life of a process: environment, start, signals. A bad environment is reported whole and exits 1, as does
 * everything else that keeps it from starting.
 *
 * @param name process type, for the log
 * @param required variables that it cannot do without
 */
export async function startProcess(
  name: string,
  required: Parameters<typeof loadConfig>[1],
  start: (config: Config, log: Logger) => Promise<Running>,
): Promise<void> {
  setHeapGrowth();
  const config = readEnvironment(required);
  const log = createLog(name, config.LOG_LEVEL);
  try {
    const running = await start(config, log);
    shutdownOnSignal(log, config.SHUTDOWN_GRACE_MS, running);
  } catch (error) {
    log.fatal({ err: error }, `${name} cannot start`);
    process.exit(1);
  }
}

function readEnvironment(required: Parameters<typeof loadConfig>[1]): Config {
  try {
    return loadConfig(process.env, required);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    console.error(error.message);
    process.exit(1);
  }
}
