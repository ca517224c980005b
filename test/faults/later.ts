import { setTimeout as sleep } from 'node:timers/promises';
import { sendRequest, type Answer } from '../helpers/http.ts';
import { locationIn, sendLater, stateAt } from '../helpers/later.ts';
import { allowedCodes, type Fault } from './fault.ts';
import type { Lab } from './lab.ts';
import { isOwn, optionsOf, problemCode } from './load.ts';
import { createRandom } from './random.ts';
import { mayRunTwice, planRequest, type PlannedRequest } from './requests.ts';

/** An asynchronous request that was answered with 202 and a location. */
interface Accepted {
  readonly request: PlannedRequest;
  readonly location: string;
}

export interface LaterLoad {
  readonly accepted: readonly Accepted[];
  /** No new requests. */
  stop(): Promise<void>;
}

/** What became of accepted requests. */
export interface LaterVerdict {
  readonly accepted: number;
  /** Unknown at their location, or not done in time. */
  readonly lost: number;
  /** Everything that is not as it should be, a sentence each. */
  readonly problems: readonly string[];
}

/** Pause between two, ms. */
const PAUSE_MS = [100, 400] as const;
/** How long one may take to be done when everything is there again, ms. */
const DONE_MS = 30_000;
const LOOK_MS = 100;

/** A client that has its requests done later. Whether they are accepted is not judged here, only what follows. */
export function startLater(lab: Lab, seed: number, name: string): LaterLoad {
  const accepted: Accepted[] = [];
  const stopped = new AbortController();
  const random = createRandom(seed * 1000 + 999);
  const client = async (): Promise<void> => {
    for (let i = 0; !stopped.signal.aborted; i++) {
      const one = await accept(lab, planRequest(random, `${name}-later-${i}`, lab.gateways.length));
      if (one) accepted.push(one);
      await sleep(random.between(...PAUSE_MS));
    }
  };
  const ended = client();
  return {
    accepted,
    async stop() {
      stopped.abort();
      await ended;
    },
  };
}

async function accept(lab: Lab, request: PlannedRequest): Promise<Accepted | undefined> {
  const answer = await sendLater(portOf(lab, request), optionsOf(request)).catch(() => undefined);
  return answer?.status === 202 ? { request, location: locationIn(answer) } : undefined;
}

function portOf(lab: Lab, { gateway }: PlannedRequest): number {
  return lab.gateways[gateway]?.port as number;
}

/** Waits for the end of each, looks at its answer, and has it forgotten. */
export async function judgeLater(lab: Lab, fault: Fault, load: LaterLoad): Promise<LaterVerdict> {
  const endings = await Promise.all(load.accepted.map((one) => ending(lab, one)));
  const lost: string[] = [];
  const wrong: string[] = [];
  for (const [i, { request }] of load.accepted.entries()) {
    const { code, own } = endings[i] as Ending;
    const text = `${request.method}${request.keyed ? ' with key' : ''} ${request.path}, done later: ${code}`;
    const times = lab.blueprints.asked(request.path);
    if (code === 'unknown' || code === 'not done') {
      if (!fault.forgets) lost.push(`lost: ${text}`);
    } else if (!own) wrong.push(`another request's answer: ${text}`);
    else if (code !== 'ok' && !allowedCodes(fault, request).includes(code)) wrong.push(`wrong code: ${text}`);
    if (!fault.asksAgain && times > (mayRunTwice(request) ? 2 : 1)) wrong.push(`run ${times} times: ${text}`);
  }
  return { accepted: load.accepted.length, lost: lost.length, problems: [...lost, ...wrong] };
}

interface Ending {
  readonly code: string;
  readonly own: boolean;
}

async function ending(lab: Lab, { request, location }: Accepted): Promise<Ending> {
  const port = portOf(lab, request);
  const { hostname } = request;
  for (const until = performance.now() + DONE_MS; performance.now() < until; await sleep(LOOK_MS)) {
    const found = await stateAt(port, hostname, location).catch((error: Error) => error);
    if (found instanceof Error) {
      if (found.message.includes('invocation_not_found')) return { code: 'unknown', own: true };
    } else if (found.state === 'done') {
      const answer = await sendRequest(port, { hostname, path: `${location}/answer` });
      await sendRequest(port, { hostname, path: location, method: 'DELETE' });
      return endingOf(request, answer);
    }
  }
  return { code: 'not done', own: true };
}

function endingOf(request: PlannedRequest, answer: Answer): Ending {
  return answer.status === 200
    ? { code: 'ok', own: isOwn(request, answer) }
    : { code: problemCode(answer), own: true };
}
