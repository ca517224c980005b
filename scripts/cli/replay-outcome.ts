import { setTimeout as sleep } from 'node:timers/promises';
import type { AdminClient, ReplayOrder } from './admin-client.ts';
import { AdminError } from './admin-errors.ts';
import type { InvocationRecord } from './admin-schema.ts';
import { CliError } from './errors.ts';

const FIRST_LOOK_MS = 50;
const LAST_LOOK_MS = 1000;
/** Behind live requests, and with a deadline of its own once it has begun. */
const PATIENCE_MS = 120_000;

/** Replays an invocation and waits for what becomes of it. @throws CliError when that takes over two minutes */
export async function replayed(
  admin: AdminClient,
  id: string,
  order: ReplayOrder,
): Promise<InvocationRecord> {
  const replay = await admin.replay(id, order);
  const giveUp = performance.now() + PATIENCE_MS;
  for (let pause = FIRST_LOOK_MS; performance.now() < giveUp; pause = Math.min(1.5 * pause, LAST_LOOK_MS)) {
    await sleep(pause);
    const record = await recordOrNot(admin, replay);
    if (record) return record;
  }
  throw new CliError(
    `the replay ${replay} has not ended within ${PATIENCE_MS / 1000} s; it may wait for live requests, or for a ` +
      `runner; look for it later with: npx lc500 invocations show ${replay}`,
  );
}

/** Until a replay has ended, there is no record of it. */
async function recordOrNot(admin: AdminClient, id: string): Promise<InvocationRecord | undefined> {
  try {
    return await admin.record(id);
  } catch (error) {
    if (error instanceof AdminError && error.status === 404 && error.code !== undefined) return undefined;
    throw error;
  }
}
