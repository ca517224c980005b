import { createHash, timingSafeEqual } from 'node:crypto';
import type { Middleware } from 'koa';

/**
 * Lets a request pass that carries the right bearer token (RFC 6750), and answers 401 to all others. Without a
 * token configured there is nothing behind this door: 404.
 *
 * The comparison takes the same time wherever two tokens differ, and for tokens of any length.
 */
export function requireToken(token: string | undefined): Middleware {
  return async (ctx, next) => {
    if (token === undefined) return;
    const given = /^Bearer +(\S+)$/i.exec(ctx.get('Authorization'))?.[1];
    if (given !== undefined && timingSafeEqual(digest(given), digest(token))) return next();
    ctx.status = 401;
    ctx.set('WWW-Authenticate', 'Bearer realm="lc500"');
    ctx.body = { error: 'expected Authorization: Bearer <ADMIN_TOKEN>' };
  };
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
