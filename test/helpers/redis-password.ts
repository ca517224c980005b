import { Redis } from 'ioredis';
import { nanoid } from 'nanoid';

/** The same Redis as a user of this run, so that every process of every test has a password to keep to itself. */
export async function withPassword(url: string): Promise<string> {
  const secret = `redis-password-${nanoid()}`;
  const redis = new Redis(url);
  await redis.call('ACL', 'SETUSER', 'tests', 'on', `>${secret}`, '~*', '&*', '+@all');
  redis.disconnect();
  const own = new URL(url);
  own.username = 'tests';
  own.password = secret;
  return String(own);
}
