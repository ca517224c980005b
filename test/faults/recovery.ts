import { setTimeout as sleep } from 'node:timers/promises';
import type { Lab } from './lab.ts';
import { exchange } from './load.ts';

const PAUSE_MS = 50;
const GIVE_UP_MS = 20_000;

/** Asks every gateway until it answers. @returns ms until the last one does */
export async function recovery(lab: Lab, name: string): Promise<number> {
  const from = performance.now();
  await Promise.all(
    lab.gateways.map(async (_, gateway) => {
      for (let i = 0; performance.now() - from < GIVE_UP_MS; i++) {
        const probe = exchange(lab, probeRequest(`${name}-probe-${gateway}-${i}`, gateway));
        // One that hangs is not waited for: the next may be answered.
        const answer = await Promise.race([probe, sleep(1000)]);
        if (answer?.code === 'ok') return;
        await sleep(PAUSE_MS);
      }
    }),
  );
  return performance.now() - from;
}

function probeRequest(marker: string, gateway: number) {
  return {
    marker,
    path: `/${marker}`,
    hostname: 'fast.example',
    method: 'GET',
    body: undefined,
    headers: [['X-Marker', marker]],
    keyed: false,
    gateway,
    pause: 0,
  } as const;
}
