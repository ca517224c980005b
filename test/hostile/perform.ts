import { errorKind, type ErrorCode } from '../../shared/errors.ts';
import type { Answer } from '../helpers/http.ts';
import type { AttackRoom, Expected, ExpectedAnswer, HostileCase } from './hostile-case.ts';

/** What came of one attack. */
export interface Verdict {
  /** What was not as it has to be; `undefined`: all was. */
  readonly problem?: string;
  /** The system said that it has no room for this one now; it says nothing of the case. */
  readonly isRefused?: true;
  /** Milliseconds by which a script was ended after its time. */
  readonly lateMs?: number;
}

/** A script is ended so long after its time at the latest, milliseconds, with what a busy machine may add. */
const LATEST_MS = 500;
/** Nothing takes longer than this, however many wait before it. */
const SLOWEST_MS = 25_000;

const REFUSALS = new Set(['tenant_overloaded', 'overloaded']);

export async function perform(
  hostile: HostileCase,
  room: AttackRoom,
  limits: { readonly scriptMs: number; readonly noiseMs: number },
): Promise<Verdict> {
  const begun = performance.now();
  let answer: Answer | string;
  try {
    answer = await attack(hostile, room);
  } catch (error) {
    return { problem: String(error) };
  }
  if (performance.now() - begun > SLOWEST_MS) return { problem: 'it took too long' };
  if (typeof answer === 'string') return withProblem(textProblem(hostile.expected, answer));
  const code = codeOf(answer);
  if (code !== undefined && REFUSALS.has(code)) return { isRefused: true };
  const problem = differs(hostile.expected, answer);
  if (problem !== undefined || code !== 'script_timeout') return withProblem(problem);
  const lateMs = inSandboxMs(answer) - limits.scriptMs;
  if (lateMs > LATEST_MS + limits.noiseMs) return { problem: `it was ended ${lateMs} ms late`, lateMs };
  return { lateMs };
}

function withProblem(problem: string | undefined): Verdict {
  return problem === undefined ? {} : { problem };
}

async function attack({ act, raw, request }: HostileCase, room: AttackRoom): Promise<Answer | string> {
  if (act) return act(room);
  const { system, hostname } = room;
  if (raw === undefined) return system.request({ hostname, ...request });
  const bytes = raw.replaceAll('HOST', hostname).replaceAll('UPPER', hostname.toUpperCase());
  return system.raw(Buffer.from(bytes, 'latin1'), SLOWEST_MS);
}

function differs(expected: Expected, answer: Answer): string | undefined {
  if (typeof expected === 'string') return differsFromCode([expected], answer);
  if ('status' in expected) return differsFromAnswer(expected, answer);
  return differsFromCode(expected, answer);
}

function differsFromCode(codes: readonly ErrorCode[], answer: Answer): string | undefined {
  const code = codes.find((candidate) => candidate === codeOf(answer));
  if (code === undefined) return `expected ${codes.join(' or ')}, got ${told(answer)}`;
  if (answer.status !== errorKind(code).status) return `${code} with status ${answer.status}`;
  const { length } = Object.keys(answer.json() as object);
  // The table's fields and no more: nothing of the inside is told.
  if (length !== 5 || /\/work|node_modules|\.ts\b|index\.js/.test(answer.text))
    return `it tells too much: ${answer.text}`;
  return undefined;
}

function differsFromAnswer(
  { status, text, headers = {} }: ExpectedAnswer,
  answer: Answer,
): string | undefined {
  if (answer.status !== status) return `expected ${status}, got ${told(answer)}`;
  if (text !== undefined && !matches(text, answer.text))
    return `expected the text ${String(text)}, got ${told(answer)}`;
  for (const [name, value] of Object.entries(headers)) {
    const given = answer.header(name);
    const isRight = value === null ? given === undefined : given !== undefined && matches(value, given);
    if (!isRight) return `${name} is ${given}, expected ${String(value)}`;
  }
  return undefined;
}

function textProblem(expected: Expected, text: string): string | undefined {
  if (typeof expected !== 'object' || !('status' in expected))
    return `expected ${String(expected)}, got "${text}"`;
  if (expected.text === undefined || matches(expected.text, text)) return undefined;
  return `expected ${String(expected.text)}, got "${text}"`;
}

function matches(expected: string | RegExp, given: string): boolean {
  return typeof expected === 'string' ? expected === given : expected.test(given);
}

function told({ status, text }: Answer): string {
  return `${status} ${JSON.stringify(text.slice(0, 600))}`;
}

function codeOf(answer: Answer): string | undefined {
  if (answer.header('content-type') !== 'application/problem+json') return undefined;
  return (answer.json() as { code?: string }).code;
}

/** The time in the sandbox by the runner's clock: what the script waited for before is not in it. */
function inSandboxMs(answer: Answer): number {
  const parts = [...(answer.header('server-timing') ?? '').matchAll(/(isolate|script);dur=([\d.]+)/g)];
  return parts.reduce((sum, [, , ms]) => sum + Number(ms), 0);
}
