import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { readSignals } from '../../../shared/signals.ts';
import { formatTable } from '../../cli/table.ts';
import { endOnSignals } from '../../dev/ending.ts';
import { startPart } from '../../dev/part.ts';
import { runLoad } from '../demo/load.ts';
import { startWorld } from '../demo/world.ts';
import { between, readUsage } from './usage.ts';

/**
 * `npm run autoscale:redis`: what a request costs the one Redis, measured, and what that means for 1,000 tenants,
 * 20 runners and 4 gateways.
 */
const SIZE = { gateways: 4, runners: 20, tenants: 1000 };
/** A tenant's mean load in the calculation, requests a second. */
const RATES = [0.1, 0.5, 1, 2, 5];
const IDLE_S = 10;
const LOAD = { seconds: 20, rate: 200 };

await using stack = new AsyncDisposableStack();
const world = await startWorld(stack, "setBody('hello')", { SHUTDOWN_GRACE_MS: '5000' });
stack.use(await startPart('runner', world.env, endOnSignals()));
const redis = new Redis(world.config.REDIS_URL);
stack.defer(() => redis.disconnect());
while ((await readSignals(redis, world.config.QUEUE_PREFIX)).runners === 0) await sleep(100);
await runLoad(world.port, 'work.localhost', [{ seconds: 5, rate: 50 }], 1);
await sleep(2000);

const idleBefore = await readUsage(redis);
await sleep(IDLE_S * 1000);
const idle = between(idleBefore, await readUsage(redis), IDLE_S);
const before = await readUsage(redis);
const outcomes = await runLoad(world.port, 'work.localhost', [LOAD], 2);
const gross = between(before, await readUsage(redis), outcomes.length);
const idleShare = LOAD.seconds / outcomes.length;
const request = {
  commands: gross.commands - idle.commands * idleShare,
  bytes: gross.bytesIn + gross.bytesOut - (idle.bytesIn + idle.bytesOut) * idleShare,
  cpuMs: gross.cpuMs - idle.cpuMs * idleShare,
};

const top = [...gross.calls].sort(([, a], [, b]) => b - a).slice(0, 12);
process.stdout.write(
  `${outcomes.length} requests at ${LOAD.rate}/s: each ${request.commands.toFixed(1)} commands ` +
    `(those in Lua scripts included), ${Math.round(request.bytes)} bytes, ${request.cpuMs.toFixed(3)} ms of Redis's thread\n` +
    `idle, one gateway and one runner: ${idle.commands.toFixed(1)} commands/s, ` +
    `${Math.round(idle.bytesIn + idle.bytesOut)} bytes/s, ${idle.cpuMs.toFixed(2)} ms/s\n` +
    `a request's commands: ${top.map(([name, count]) => `${name} ${count.toFixed(2)}`).join(', ')}\n\n` +
    `${SIZE.tenants} tenants, ${SIZE.runners} runners, ${SIZE.gateways} gateways:\n`,
);
// Half of what idles is the gateway's, half the runner's: taken as if each runner and gateway idled like both.
const standing = SIZE.runners;
const rows = RATES.map((perTenant) => {
  const rate = perTenant * SIZE.tenants;
  const cpu = (rate * request.cpuMs + standing * idle.cpuMs) / 1000;
  return [
    `${perTenant}/s`,
    String(rate),
    String(Math.round(rate * request.commands + standing * idle.commands)),
    ((rate * request.bytes + standing * (idle.bytesIn + idle.bytesOut)) / 1e6).toFixed(1),
    `${Math.round(100 * cpu)} %`,
  ];
});
process.stdout.write(
  formatTable([['a tenant', 'requests/s', 'commands/s', 'MB/s', "Redis's thread"], ...rows]),
);
const ceiling = (1000 - standing * idle.cpuMs) / request.cpuMs;
process.stdout.write(
  `\nthe thread is full at ${Math.round(ceiling)} requests/s; plan for 70 % of it, ${Math.round(0.7 * ceiling)}\n`,
);
// The signal handlers of the parts keep nothing alive that is still needed.
await stack.disposeAsync();
process.exit(0);
