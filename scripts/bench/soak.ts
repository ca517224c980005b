import type { Lab } from './lab.ts';
import type { Sample } from './measured-load.ts';
import { startSystem } from './system.ts';
import { HELLO } from './tenants.ts';
import { usageOfTree } from './usage.ts';
import { runWrk } from './wrk.ts';

const CONNECTIONS = 16;
const SLICE_SECONDS = 10;

/** The runner tree's resident memory after the first 1,000 requests and after `requests`, on a fresh system. */
export async function soak(lab: Lab, requests: number): Promise<Sample> {
  await using system = await startSystem(lab.env, { name: 'soak' });
  const resident = (): number =>
    system.runners.reduce((sum, pid) => sum + usageOfTree(pid).resident, 0) / 1_048_576;
  const load = { port: system.port, connections: CONNECTIONS, hosts: [HELLO] };
  let done = 0;
  while (done < 1000) done += (await runWrk({ ...load, seconds: 1 })).requests;
  const residentBeforeMb = resident();
  while (done < requests) done += (await runWrk({ ...load, seconds: SLICE_SECONDS })).requests;
  return { requests: done, residentBeforeMb, residentAfterMb: resident() };
}
