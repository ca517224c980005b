import { STATUS_CODES } from 'node:http';
import type { Context, Middleware } from 'koa';
import type { Logger } from '../../shared/log.ts';

/** Everything that the admin interface refuses to do; apart from shared/errors.ts, which is what clients get. */
const PROBLEMS = {
  bad_request: 400,
  unauthorized: 401,
  not_found: 404,
  still_running: 409,
  body_gone: 410,
  script_version_gone: 410,
  blueprint_gone: 410,
  unsafe_method: 422,
  too_many_wrong_tokens: 429,
  internal_error: 500,
  queue_unavailable: 503,
  storage_unavailable: 503,
} as const;

export type ProblemCode = keyof typeof PROBLEMS;

/** What an operator asked for and does not get; the message is for him. */
export class AdminProblem extends Error {
  override readonly name = 'AdminProblem';
  readonly code: ProblemCode;

  constructor(code: ProblemCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** Answers what is thrown behind it as `application/problem+json` (RFC 9457). */
export function problems(log: Logger): Middleware {
  return async (ctx, next) => {
    try {
      await next();
    } catch (error) {
      const problem = asProblem(error);
      if (PROBLEMS[problem.code] >= 500) log.warn({ err: error, url: ctx.url }, 'admin interface');
      sendAdminProblem(ctx, problem.code, problem.message);
    }
  };
}

export function sendAdminProblem(ctx: Context, code: ProblemCode, detail: string): void {
  const status = PROBLEMS[code];
  ctx.status = status;
  ctx.body = { type: `urn:lc500:error:${code}`, title: STATUS_CODES[status], status, code, detail };
  ctx.type = 'application/problem+json';
}

/** Errors of the storage are wrapped where it is asked. */
function asProblem(error: unknown): AdminProblem {
  if (error instanceof AdminProblem) return error;
  const message = error instanceof Error ? error.message : String(error);
  // How ioredis says that Redis is away, or that it does not answer.
  const isAway =
    /Connection is closed|Stream isn't writeable|timed out|max retries|ECONN|LOADING|EPIPE/i.test(message);
  return new AdminProblem(isAway ? 'queue_unavailable' : 'internal_error', message, { cause: error });
}
