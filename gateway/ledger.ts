import type { ErrorCode } from '../shared/errors.ts';
import type { Logger } from '../shared/log.ts';

/** How an accepted request can end. */
type State = 'answered' | 'failed' | 'expired' | 'abandoned' | 'deferred';

/** What ended it. `ok`: an answer of the script's is sent. `async`: it got a location, the runners see to the rest. */
export type Ending = ErrorCode | 'ok' | 'client_gone' | 'async';

/** Ends one accepted request. */
export type End = (ending: Ending) => void;

interface Line {
  readonly state: State;
  readonly code: Ending;
  count: number;
}

/**
 * The gateway's account of the requests that it has accepted, which are those that were read whole and are valid:
 *
 *     accepted ──→ waiting ⇄ running ──→ answered
 *        │            │         ├──────→ failed (code)
 *        └────────────┴─────────┴──────→ expired     the deadline came first
 *        └────────────┴─────────┴──────→ abandoned   the client went first
 *        └────────────┴─────────┴──────→ deferred    the client has its location (`Prefer: respond-async`)
 *
 * `waiting` is a job in the queue or in a runner's hands, `running` one in a sandbox; a runner that died sends an
 * idempotent one back. Neither is counted here: the queue and the runners tell of them (shared/signals.ts). A
 * request can also fail where it is: no queue to wait in, a script that is not there.
 *
 * Each accepted request ends once. A second ending is a fault of the gateway's: it changes nothing, and is counted
 * and logged. So at every moment `accepted` = the sum of all endings + `inFlight`.
 */
export class Ledger {
  readonly #log: Logger;
  readonly #lines = new Map<Ending, Line>();
  #accepted = 0;
  #ended = 0;
  #secondEndings = 0;

  constructor(log: Logger) {
    this.#log = log;
  }

  get accepted(): number {
    return this.#accepted;
  }

  get inFlight(): number {
    return this.#accepted - this.#ended;
  }

  /** Attempts to end a request that had ended. */
  get secondEndings(): number {
    return this.#secondEndings;
  }

  /** How many have ended how. */
  endings(): Readonly<Line>[] {
    return [...this.#lines.values()];
  }

  /** The whole account, for the log. */
  summary(): Record<string, unknown> {
    const endings = Object.fromEntries(this.endings().map(({ code, count }) => [code, count]));
    return { accepted: this.#accepted, inFlight: this.inFlight, endings };
  }

  /** @param id for the log */
  accept(id: string): End {
    let hasEnded = false;
    this.#accepted++;
    return (ending) => {
      if (hasEnded) return this.#refuse(id, ending);
      hasEnded = true;
      this.#ended++;
      this.#count(ending);
    };
  }

  #count(code: Ending): void {
    const line = this.#lines.get(code);
    if (line) line.count++;
    else this.#lines.set(code, { state: stateOf(code), code, count: 1 });
  }

  #refuse(id: string, ending: Ending): void {
    this.#secondEndings++;
    this.#log.error({ requestId: id, ending }, 'a request that had ended was to end again');
  }
}

function stateOf(ending: Ending): State {
  switch (ending) {
    case 'ok':
      return 'answered';
    case 'client_gone':
      return 'abandoned';
    case 'async':
      return 'deferred';
    case 'deadline_exceeded':
      return 'expired';
    default:
      return 'failed';
  }
}
