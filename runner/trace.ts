import type { ConsoleLine } from './answer.ts';
import type { Blueprint } from './blueprint.ts';
import type { ServedScript } from './script-store.ts';
import type { Invocation } from '../shared/invocation.ts';

/**
 * What a run leaves for its record, should it get one: references to what there was anyway. Script and blueprint
 * may still be on their way, or have failed; only a record waits for them.
 */
export interface RunTrace {
  /** As it was run: a replay's job does not hold the request itself, others perhaps not the body. */
  invocation: Invocation;
  script?: ServedScript | Promise<ServedScript>;
  blueprint?: Promise<Blueprint>;
  lines: readonly ConsoleLine[];
  onConsole(lines: readonly ConsoleLine[]): void;
}
