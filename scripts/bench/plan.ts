import type { Lab } from './lab.ts';
import { isolateFloor } from './floors/isolate.ts';
import { measureLoad, type Sample } from './measured-load.ts';
import type { System } from './system.ts';
import { BODIES, HELLO, manyHosts, MANY, requestHost, responseHost, sizeHost, SIZES } from './tenants.ts';
import { runConstantRate } from './constant-rate.ts';
import { runWrk, type Load } from './wrk.ts';

/** One line of the table. */
export interface Measurement {
  readonly name: string;
  readonly measure: () => Promise<Sample>;
}

const CONNECTIONS = [1, 4, 16, 64, 256] as const;
const PAUSE_MS = 5;
/** Load before a measurement of a system that is seldom measured: V8 throws away code that has not been used of late. */
const WARM_SECONDS = 2;

/** All that is measured, in the order of a round. */
export function plan(lab: Lab, seconds: number): Measurement[] {
  return [...core(lab, seconds), ...direct(lab, seconds), ...peers(lab, seconds), ...growth(lab, seconds)];
}

function core(lab: Lab, seconds: number): Measurement[] {
  const { systems, queueFloor, meters } = lab;
  let maximum = 0;
  const closed = CONNECTIONS.map((connections) => ({
    name: `lc500, ${connections} connection${connections > 1 ? 's' : ''}`,
    measure: async () => {
      const sample = await loaded(lab, systems.plain, { connections, seconds });
      maximum = Math.max(connections === CONNECTIONS[0] ? 0 : maximum, sample['rate'] ?? 0);
      return sample;
    },
  }));
  const open = [0.5, 0.8].map((share) => ({
    name: `lc500, ${share * 100} % of its maximum rate`,
    measure: () =>
      measureLoad(meters, systems.plain, () =>
        runConstantRate({ port: systems.plain.port, host: HELLO, rate: maximum * share, seconds }),
      ),
  }));
  return [
    { name: 'isolate floor', measure: () => isolateFloor(seconds) },
    ...closed,
    ...open,
    {
      name: 'lc500, idle',
      measure: () => loaded(lab, systems.plain, { connections: 1, seconds, pause: PAUSE_MS }),
    },
    {
      name: 'queue floor, idle',
      measure: () => queueFloor.measure({ seconds, inFlight: 1, pause: PAUSE_MS }),
    },
    { name: 'queue floor, 16', measure: () => queueFloor.measure({ seconds, inFlight: 16, pause: 0 }) },
  ].map((measurement) => ({ ...measurement, measure: async () => ({ ...(await measurement.measure()) }) }));
}

function direct({ direct: port }: Lab, seconds: number): Measurement[] {
  const measured = (name: string, load: Partial<Load>): Measurement => ({
    name: `no queue, ${name}`,
    measure: async () => ({ ...(await runWrk({ port, hosts: [HELLO], connections: 1, seconds, ...load })) }),
  });
  return [
    measured('1 connection', {}),
    measured('16 connections', { connections: 16 }),
    measured('idle', { pause: PAUSE_MS }),
  ];
}

function peers({ workerd, node }: Lab, seconds: number): Measurement[] {
  const against = (name: string, port: number, connections: number): Measurement => ({
    name: `${name}, ${connections} connection${connections > 1 ? 's' : ''}`,
    measure: async () => ({ ...(await runWrk({ port, connections, seconds, hosts: [HELLO] })) }),
  });
  return [
    against('workerd, new worker per request', workerd.freshPort, 1),
    against('workerd, new worker per request', workerd.freshPort, 16),
    against('workerd, reused isolate', workerd.reusedPort, 1),
    against('workerd, reused isolate', workerd.reusedPort, 16),
    against('node child process per request', node.child, 16),
    against('node vm context per request', node.vm, 16),
  ];
}

function growth(lab: Lab, seconds: number): Measurement[] {
  const { systems } = lab;
  const at16 = (name: string, system: System, load: Partial<Load>): Measurement => ({
    name,
    measure: async () => {
      const whole = { connections: 16, seconds, ...load };
      await loaded(lab, system, { ...whole, seconds: WARM_SECONDS });
      return loaded(lab, system, whole);
    },
  });
  return [
    ...Object.entries(SIZES).map(([size, bytes]) =>
      at16(`script of ${size}`, systems.plain, { hosts: [sizeHost(bytes)] }),
    ),
    ...Object.entries(BODIES).map(([size, bytes]) =>
      at16(`request with ${size}`, systems.plain, { hosts: [requestHost], bodyBytes: bytes }),
    ),
    ...Object.entries(BODIES).map(([size, bytes]) =>
      at16(`response with ${size}`, systems.plain, { hosts: [responseHost(bytes)] }),
    ),
    ...MANY.map((count) =>
      at16(`${count} tenant${count > 1 ? 's' : ''}`, systems.tenants, { hosts: manyHosts(count) }),
    ),
    at16('1 runner with all sandboxes', systems.plain, {}),
    at16('2 runners with half the sandboxes each', systems.twoRunners, {}),
    at16('blueprint: none', systems.plain, {}),
    at16('blueprint: S3', systems.s3, {}),
    at16('blueprint: HTTP', systems.http, {}),
  ];
}

function loaded(
  lab: Lab,
  system: System,
  load: Omit<Load, 'port' | 'hosts'> & Partial<Load>,
): Promise<Sample> {
  const whole = { hosts: [HELLO], ...load, port: system.port };
  return measureLoad(lab.meters, system, () => runWrk(whole));
}
