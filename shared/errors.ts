/** Whose doing an error is: decides how loudly it is logged and who has to act. */
export type Fault = 'client' | 'tenant' | 'operator';

interface ErrorKind {
  readonly status: number;
  readonly title: string;
  readonly fault: Fault;
  /** Seconds for `Retry-After`; only where trying again soon makes sense. */
  readonly retryAfter?: number;
}

/**
 * Every answer that a tenant's script did not make itself.
 * The README's error table is held to this one by a test.
 */
export const ERRORS = {
  bad_request: { status: 400, title: 'The request is malformed', fault: 'client' },
  bad_host: { status: 400, title: 'The Host header names no valid hostname', fault: 'client' },
  idempotency_key_invalid: { status: 400, title: 'The Idempotency-Key is malformed', fault: 'client' },
  script_not_found: { status: 404, title: 'No script is deployed for this hostname', fault: 'client' },
  invocation_not_found: {
    status: 404,
    title: 'No asynchronous request has this location, or none any more',
    fault: 'client',
  },
  method_not_allowed: { status: 405, title: 'The method means nothing at this location', fault: 'client' },
  request_timeout: { status: 408, title: 'The request took too long to arrive', fault: 'client' },
  idempotency_answer_too_large: {
    status: 409,
    title: 'The request with this Idempotency-Key was answered, and the answer was too large to be kept',
    fault: 'client',
  },
  invocation_pending: {
    status: 409,
    title: 'The asynchronous request has no answer yet',
    fault: 'client',
    retryAfter: 1,
  },
  request_too_large: { status: 413, title: 'The request body is over the limit', fault: 'client' },
  idempotency_key_reused: {
    status: 422,
    title: 'The Idempotency-Key was used for another request',
    fault: 'client',
  },
  too_many_connections: {
    status: 429,
    title: 'There are too many connections from this address',
    fault: 'client',
    retryAfter: 1,
  },
  tenant_overloaded: {
    status: 429,
    title: 'The hostname has used up its share, and others want theirs',
    fault: 'client',
    retryAfter: 1,
  },
  headers_too_large: { status: 431, title: 'The request headers are over the limit', fault: 'client' },
  script_error: { status: 500, title: 'The script failed', fault: 'tenant' },
  internal_error: { status: 500, title: 'The server failed', fault: 'operator' },
  invalid_response: { status: 502, title: 'The script made an answer that cannot be sent', fault: 'tenant' },
  runner_lost: { status: 502, title: 'The process that ran the script died', fault: 'operator' },
  memory_limit: { status: 503, title: 'The script used more memory than it may', fault: 'tenant' },
  blueprint_unavailable: {
    status: 503,
    title: 'The blueprint cannot be had at the moment',
    fault: 'operator',
    retryAfter: 1,
  },
  storage_unavailable: {
    status: 503,
    title: 'The script storage cannot be reached at the moment',
    fault: 'operator',
    retryAfter: 1,
  },
  queue_unavailable: {
    status: 503,
    title: 'The queue cannot be reached at the moment',
    fault: 'operator',
    retryAfter: 1,
  },
  overloaded: {
    status: 503,
    title: 'The server has more to do than it can at the moment',
    fault: 'operator',
    retryAfter: 1,
  },
  gateway_closing: {
    status: 503,
    title: 'The server had to end before the answer was there',
    fault: 'operator',
  },
  script_timeout: { status: 504, title: 'The script took longer than it may', fault: 'tenant' },
  deadline_exceeded: { status: 504, title: 'The request was not answered in time', fault: 'operator' },
} as const satisfies Record<string, ErrorKind>;

export type ErrorCode = keyof typeof ERRORS;

export const ERROR_CODES = Object.keys(ERRORS) as [ErrorCode, ...ErrorCode[]];

/** The kind behind a code, with the optional fields visible to the type checker. */
export function errorKind(code: ErrorCode): ErrorKind {
  return ERRORS[code];
}

/**
 * The one error class that crosses lc500's own boundaries.
 *
 * `code` decides what the client sees; `message` and `cause` are for logs and failed jobs and never leave
 * the system.
 */
export class LC500Error extends Error {
  override readonly name = 'LC500Error';
  readonly code: ErrorCode;
  /** Seconds after which trying again makes sense, where that is known better than by the code. */
  readonly retryAfter: number | undefined;

  constructor(
    code: ErrorCode,
    message: string = errorKind(code).title,
    options?: ErrorOptions & { readonly retryAfter?: number },
  ) {
    super(message, options);
    this.code = code;
    this.retryAfter = options?.retryAfter ?? errorKind(code).retryAfter;
  }
}

/** Any thrown value as an LC500Error; what is not one already becomes `fallback`. */
export function toLC500Error(thrown: unknown, fallback: ErrorCode = 'internal_error'): LC500Error {
  if (thrown instanceof LC500Error) return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new LC500Error(fallback, message, { cause: thrown });
}
