import { setTimeout as delay } from 'node:timers/promises';
import { seededRandom } from '../autoscale/simulate/random.ts';
import { readAccount } from './account.ts';
import { readFootprint, type Footprint } from './footprint.ts';
import { startKilling } from './killers.ts';
import { runLoad } from './load.ts';
import { readOptions } from './options.ts';
import { startSystem, type SoakSystem } from './system.ts';
import { judge } from './verdicts.ts';

/**
 * Sends requests while sandboxes and runners are killed, and then asks what became of each: one answer, its own, in
 * time; the gateways' account agrees with the clients'; and nothing has grown. Exits 1 when one of it does not hold.
 */
const SETTLE_MS = 90_000;
const options = readOptions(process.argv.slice(2));
await using system = await startSystem(options);
const before = await settled(system);
const random = seededRandom(options.seed);
const began = performance.now();
const { kills, stop } = startKilling(system, options, random);
const ports = system.gateways.map(({ port }) => port);
const early = footprintWhen(system, options.requests / 10);
const seen = await runLoad(ports, { requests: options.requests, connections: options.connections, random });
await stop();
const seconds = (performance.now() - began) / 1000;
const after = await settled(system, before);
const verdicts = judge(options.requests, seen, await readAccount(system), {
  before,
  early: await early,
  after,
  replacements: system.replacements,
});
console.log(
  `${options.requests} requests in ${Math.round(seconds)} s, ${kills.sandboxes} sandboxes and ${kills.runners} runners killed, seed ${options.seed}\n`,
);
console.log('| what | found | holds |\n| --- | --- | --- |');
for (const { what, found, holds } of verdicts)
  console.log(`| ${what} | ${found} | ${holds ? 'yes' : '**no**'} |`);
if (verdicts.some(({ holds }) => !holds)) process.exitCode = 1;

/** As soon as so many requests have ended. */
async function footprintWhen(of: SoakSystem, ended: number): Promise<Footprint> {
  for (;;) {
    const { accepted, inFlight } = await readAccount(of);
    if (accepted - inFlight >= ended) return readFootprint(of);
    await delay(500);
  }
}

/**
 * When nothing changes any more: sandboxes are replaced, marks and kept answers have ended by themselves.
 *
 * @param like what it should come back to; without it, when two looks in a row see the same
 */
async function settled(of: SoakSystem, like?: Footprint): Promise<Footprint> {
  const until = performance.now() + SETTLE_MS;
  let last = await readFootprint(of);
  for (;;) {
    await delay(2000);
    const now = await readFootprint(of);
    const goal = like ?? last;
    const isSettled = now.processes === goal.processes && now.keys <= goal.keys;
    if ((isSettled && now.processes === last.processes) || performance.now() > until) return now;
    last = now;
  }
}
