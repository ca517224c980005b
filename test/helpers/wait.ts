import { setTimeout as sleep } from 'node:timers/promises';

const POLL_MS = 10;
const TIMEOUT_MS = 15_000;

/**
 * Waits until a condition holds.
 *
 * @param what the condition, for the error's message
 * @param options.details called for the message when it does not come true in time
 */
export async function waitFor(
  what: string,
  condition: () => boolean | Promise<boolean>,
  options: { timeoutMs?: number; details?: () => string } = {},
): Promise<void> {
  const giveUp = performance.now() + (options.timeoutMs ?? TIMEOUT_MS);
  while (!(await condition())) {
    if (performance.now() > giveUp)
      throw new Error(`waited in vain for ${what}\n${options.details?.() ?? ''}`);
    await sleep(POLL_MS);
  }
}
