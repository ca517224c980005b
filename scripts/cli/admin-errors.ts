import { z } from 'zod';
import { CliError } from './errors.ts';

/** The admin interface refused. `code` is its own word for why, where it has one. */
export class AdminError extends CliError {
  readonly status: number;
  readonly code: string | undefined;

  constructor(message: string, status: number, code?: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/** application/problem+json (RFC 9457), as far as it is there. */
const problemSchema = z.object({
  title: z.string().optional(),
  detail: z.string().optional(),
  code: z.string().optional(),
});

type Problem = z.output<typeof problemSchema>;

/** A refusal as one error that says what to do about it. @param what was asked for, such as `invocation x` */
export async function refusal(place: string, what: string, response: Response): Promise<AdminError> {
  const problem = await readProblem(response);
  const { status } = response;
  const said = problem?.detail ?? problem?.title ?? `HTTP ${status}`;
  return new AdminError(explain(place, what, status, said, problem), status, problem?.code);
}

async function readProblem(response: Response): Promise<Problem | undefined> {
  try {
    return problemSchema.parse(await response.json());
  } catch {
    return undefined;
  }
}

const HINTS: Readonly<Record<string, string>> = {
  still_running: 'wait for it, or add --again to run it beside',
  script_version_gone: 'replay it with --script current, or with a file',
  blueprint_gone: 'replay it with --blueprint fresh',
  unsafe_method: 'if another run does no harm, add --unsafe',
};

function explain(
  place: string,
  what: string,
  status: number,
  said: string,
  problem: Problem | undefined,
): string {
  const hint = HINTS[problem?.code ?? ''];
  if (hint !== undefined) return `${what}: ${said}; ${hint}`;
  switch (status) {
    case 401:
      return `${place} does not accept the token; it must be the gateway's ADMIN_TOKEN`;
    case 404:
      return problem?.code === undefined
        ? `${place} keeps no invocations: it is not lc500's, or its gateway has no ADMIN_TOKEN`
        : `${what}: there is none (any more); see what there is with: npx lc500 invocations list`;
    case 409:
      return `${what}: ${said}; ${HINTS['still_running']}`;
    case 410:
      return `${what}: ${said}; what it needs is not kept any more`;
    case 422:
      return `${what}: ${said}; ${HINTS['unsafe_method']}`;
    default:
      return `${place} refused ${what}: ${said} (HTTP ${status})`;
  }
}
