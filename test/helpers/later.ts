import { sendRequest, type Answer, type RequestOptions } from './http.ts';
import { waitFor } from './wait.ts';

export interface State {
  readonly state: 'waiting' | 'running' | 'done';
  readonly status?: number;
  readonly code?: string;
  readonly self: string;
  readonly answer: string;
}

/** Sends a request with `Prefer: respond-async` and more, if given. */
export function sendLater(port: number, options: RequestOptions, prefer = 'respond-async'): Promise<Answer> {
  return sendRequest(port, { ...options, headers: [['Prefer', prefer], ...(options.headers ?? [])] });
}

export function locationIn(answer: Answer): string {
  const location = answer.header('Location');
  if (location === undefined) throw new Error(`no location: ${answer.status} ${answer.text}`);
  return location;
}

/** Asks a location for its state. */
export async function stateAt(port: number, hostname: string, path: string): Promise<State> {
  const answer = await sendRequest(port, { hostname, path });
  if (answer.status !== 200) throw new Error(`no state: ${answer.status} ${answer.text}`);
  return answer.json() as State;
}

/** The answer, as soon as it is there. */
export async function answerAt(port: number, hostname: string, path: string): Promise<Answer> {
  await waitFor(`the answer at ${path}`, async () => {
    const { state } = await stateAt(port, hostname, path);
    return state === 'done';
  });
  return sendRequest(port, { hostname, path: `${path}/answer` });
}
