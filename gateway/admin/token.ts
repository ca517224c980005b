import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Context, Middleware } from 'koa';
import { Failures } from './failures.ts';
import { sendAdminProblem } from './problems.ts';
import { isBoardPath } from './queue-board.ts';

/**
 * Lets a request pass that carries the right bearer token (RFC 6750), and answers 401 to all others. Without a
 * token configured there is nothing behind this door: 404. The queues' view is for browsers, which have no way to
 * send one, and takes it as the password of anybody (RFC 7617), too.
 *
 * The comparison takes the same time wherever two tokens differ, and for tokens of any length. From a client that
 * was wrong too often no token is looked at for a while, 429: were the right one let through, guessing would cost
 * nothing.
 *
 * @param addressOf who asks
 */
export function requireToken(
  token: string | undefined,
  addressOf: (message: IncomingMessage) => string,
): Middleware {
  const failures = new Failures();
  return async (ctx, next) => {
    if (token === undefined) return;
    const address = addressOf(ctx.req);
    const wait = failures.wait(address);
    if (wait > 0) return tellToWait(ctx, wait);
    const takesPassword = isBoardPath(ctx.path);
    const given = tokenIn(ctx.get('Authorization'), takesPassword);
    if (given !== undefined && timingSafeEqual(digest(given), digest(token))) return next();
    // Who brings none has not guessed.
    if (given !== undefined) failures.note(address);
    sendAdminProblem(ctx, 'unauthorized', 'expected Authorization: Bearer <ADMIN_TOKEN>');
    ctx.set('WWW-Authenticate', `${takesPassword ? 'Basic' : 'Bearer'} realm="lc500"`);
  };
}

function tokenIn(header: string, takesPassword: boolean): string | undefined {
  const [, scheme, credentials] = /^(Bearer|Basic) +(\S+)$/i.exec(header) ?? [];
  if (scheme?.toLowerCase() === 'bearer') return credentials;
  if (credentials === undefined || !takesPassword) return undefined;
  return /^[^:]*:(.*)$/s.exec(Buffer.from(credentials, 'base64').toString())?.[1];
}

function tellToWait(ctx: Context, seconds: number): void {
  sendAdminProblem(ctx, 'too_many_wrong_tokens', 'no token from this address is looked at for a while');
  ctx.set('Retry-After', String(seconds));
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
