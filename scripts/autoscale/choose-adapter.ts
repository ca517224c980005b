import type { Redis } from 'ioredis';
import type { Config } from '../../shared/config.ts';
import type { Logger } from '../../shared/log.ts';
import { readRunners } from '../../shared/signals.ts';
import type { Adapter } from './adapter.ts';
import { createHerokuAdapter } from './heroku-adapter.ts';
import { LocalAdapter } from './local-adapter.ts';
import { createNoneAdapter } from './none-adapter.ts';
import { spawnDetached } from './local-runner.ts';

/** What `AUTOSCALE_ADAPTER` names. */
export function chooseAdapter(config: Config, redis: Redis, log: Logger): Adapter {
  const runners = () => readRunners(redis, config.QUEUE_PREFIX);
  switch (config.AUTOSCALE_ADAPTER) {
    case 'local':
      return new LocalAdapter(runners, spawnDetached, log);
    case 'heroku':
      return createHerokuAdapter({
        url: config.HEROKU_API_URL,
        app: config.HEROKU_APP ?? '',
        token: config.HEROKU_API_TOKEN ?? '',
        log,
      });
    default:
      return createNoneAdapter(async () => (await runners()).length);
  }
}
