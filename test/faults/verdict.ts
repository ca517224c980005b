import { allowedCodes, type Fault } from './fault.ts';
import type { Lab } from './lab.ts';
import type { Exchange } from './load.ts';
import { mayRunTwice } from './requests.ts';
import type { Struck } from './run.ts';

/** What a run has shown. */
export interface Verdict {
  readonly requests: number;
  /** Answers by code. */
  readonly codes: Readonly<Record<string, number>>;
  /** Without an answer, though their gateway lived. */
  readonly lost: number;
  /** Run more often than they may be, or two answers with one id. */
  readonly twice: number;
  /** With an answer that belongs to another request. */
  readonly crossed: number;
  /** Not answered at the deadline + 1 s. */
  readonly hung: number;
  /** Refused with `queue_unavailable`, and run all the same: the job had reached Redis, its confirmation was lost. */
  readonly refusedAndRun: number;
  /** Everything that is not as it should be, a sentence each. */
  readonly problems: readonly string[];
}

interface Evidence {
  readonly lab: Lab;
  readonly fault: Fault;
  readonly struck: Struck;
  readonly exchanges: readonly Exchange[];
  readonly repeats: readonly Exchange[];
  readonly recoveryMs: number;
  /** Factor on what is promised of recovery and refusals. */
  readonly patience: number;
}

/** After the deadline, ms. */
const HUNG_MS = 1000;
/** Service is back this long after the fault's end, ms. */
const RECOVERY_MS = 2000;
/** A refusal comes within 1 s; the rest is for a machine that has other things to do, ms. */
const REFUSAL_MS = 1000 + 500;
/** It takes the system this long to be sure that Redis is away, ms. */
const NOTICE_MS = 500;

export function judge(evidence: Evidence): Verdict {
  const { lab, exchanges, repeats, recoveryMs, patience } = evidence;
  const all = [...exchanges, ...repeats];
  const late = ({ sentAt, endedAt }: Exchange): boolean => endedAt - sentAt > lab.deadlineMs + HUNG_MS;
  const lost = exchanges.filter((one) => isLost(evidence, one));
  const twice = [...exchanges.filter((one) => ranTooOften(evidence, one)), ...sameId(all)];
  const crossed = all.filter(({ own }) => !own);
  const hung = all.filter(late);
  const wrong = exchanges.map((one) => wrongCode(evidence, one)).filter((text) => text !== undefined);
  const problems = [
    ...lost.map((one) => `lost: ${tell(evidence, one)}`),
    ...twice.map((one) => `run or answered too often: ${tell(evidence, one)}`),
    ...crossed.map((one) => `another request's answer: ${tell(evidence, one)}`),
    ...hung.map((one) => `hung: ${tell(evidence, one)}`),
    ...wrong,
    ...repeats
      .filter((one) => one.code !== 'ok' && !isKeptFailure(exchanges, one))
      .map((one) => `repeat not answered: ${tell(evidence, one)}`),
    ...(recoveryMs > RECOVERY_MS * patience ? [`serves again only after ${Math.round(recoveryMs)} ms`] : []),
  ];
  return {
    requests: all.length,
    codes: countCodes(all),
    lost: lost.length,
    twice: twice.length,
    crossed: crossed.length,
    hung: hung.length,
    refusedAndRun: exchanges.filter(
      ({ code, request }) => code === 'queue_unavailable' && asked(lab, request.path) > 0,
    ).length,
    problems,
  };
}

/** That a script took too long is kept for its key as an answer is. */
function isKeptFailure(exchanges: readonly Exchange[], { code, request }: Exchange): boolean {
  const first = exchanges.find((one) => one.request.marker === request.marker);
  return code === 'script_timeout' && first?.code === code;
}

function asked(lab: Lab, path: string): number {
  return lab.blueprints.asked(path);
}

/** A connection that broke is the client's to explain only where its gateway was down. */
function isLost({ struck }: Evidence, { code, request, endedAt, sentAt }: Exchange): boolean {
  if (code !== 'broken' && code !== 'refused') return false;
  const isDown = struck.down.includes(request.gateway);
  return !(isDown && endedAt >= struck.beganAt && sentAt <= struck.endedAt);
}

function ranTooOften({ lab, fault }: Evidence, { request }: Exchange): boolean {
  if (fault.asksAgain && request.method !== 'POST') return false;
  const limit = mayRunTwice(request) ? 2 + Number(fault.forgets ?? 0) : 1;
  return asked(lab, request.path) > limit;
}

/** Ids are an answer's own. */
function sameId(exchanges: readonly Exchange[]): Exchange[] {
  const seen = new Set<string>();
  return exchanges.filter(({ requestId }) => {
    if (requestId === undefined) return false;
    if (seen.has(requestId)) return true;
    seen.add(requestId);
    return false;
  });
}

function wrongCode(evidence: Evidence, one: Exchange): string | undefined {
  const { fault, struck, patience } = evidence;
  const { code, request, sentAt, endedAt } = one;
  if (code === 'ok' || code === 'broken' || code === 'refused')
    return code === 'ok' && isUnderOutage(evidence, one)
      ? `answered without Redis: ${tell(evidence, one)}`
      : undefined;
  const text = `wrong code: ${tell(evidence, one)}`;
  if (endedAt < struck.beganAt || sentAt > struck.endedAt + RECOVERY_MS * patience) return text;
  if (!allowedCodes(fault, request).includes(code)) return text;
  if (isUnderOutage(evidence, one) && code !== 'queue_unavailable') return text;
  const isSlow = code === 'queue_unavailable' && !request.keyed && endedAt - sentAt > REFUSAL_MS * patience;
  return isSlow ? `refused too late: ${tell(evidence, one)}` : undefined;
}

/** Sent when Redis was away, and answered before it was back. */
function isUnderOutage({ fault, struck }: Evidence, { sentAt }: Exchange): boolean {
  return fault.away === true && sentAt > struck.beganAt + NOTICE_MS && sentAt < struck.endedAt - REFUSAL_MS;
}

function tell({ lab, struck }: Evidence, { request, code, sentAt, endedAt }: Exchange): string {
  const { method, path, keyed, gateway, hostname } = request;
  const at = Math.round(sentAt - struck.beganAt);
  return (
    `${method}${keyed ? ' with key' : ''} ${hostname}${path} to gateway ${gateway}: ${code} after ` +
    `${Math.round(endedAt - sentAt)} ms, sent ${at} ms after the fault began, run ${asked(lab, path)} times`
  );
}

function countCodes(exchanges: readonly Exchange[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { code } of exchanges) counts[code] = (counts[code] ?? 0) + 1;
  return counts;
}
