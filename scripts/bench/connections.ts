import { connect, type Socket } from 'node:net';
import { startThrowAwayServices } from '../services/throw-away.ts';
import { startSystem, store } from './system.ts';
import { HELLO, scripts } from './tenants.ts';
import { usageOf } from './usage.ts';

/**
 * What idle connections cost a gateway: its memory without any, with so many that never said a word, and with as
 * many that were answered once; and what a request of somebody else takes meanwhile.
 *
 * Usage: `npm run bench:connections -- 10000`
 */
const COUNT = Number(process.argv[2] ?? 10_000);
const BATCH = 100;
const PER_ADDRESS = 500;
const ASKS = 200;
const MEBIBYTE = 1_048_576;

await using stack = new AsyncDisposableStack();
const services = stack.use(await startThrowAwayServices());
await store(services.env, { scripts: scripts() });
// Silence is what is measured here, so the time for headers must not end it.
const patience = { HEADERS_TIMEOUT_MS: '600000', REQUEST_TIMEOUT_MS: '600000' };
const { port, gateway } = stack.use(
  await startSystem(services.env, { name: 'connections', change: patience }),
);

const sockets: Socket[] = [];
stack.defer(() => sockets.forEach((socket) => socket.destroy()));

console.log('connections | gateway, MiB | KiB for each | hello, ms (median)');
await hello();
const empty = usageOf(gateway).resident;
await report(0);
while (sockets.length < COUNT) {
  const more = Array.from({ length: BATCH }, (_, i) => open(sockets.length + i));
  sockets.push(...(await Promise.all(more)));
}
await report(COUNT, 'silent');
for (let i = 0; i < sockets.length; i += BATCH) await Promise.all(sockets.slice(i, i + BATCH).map(askOnce));
await report(COUNT, 'answered once');

async function report(count: number, state = ''): Promise<void> {
  const median = await hello();
  const { resident } = usageOf(gateway);
  const each = count === 0 ? '–' : ((resident - empty) / count / 1024).toFixed(1);
  const lost = sockets.filter((socket) => socket.destroyed).length;
  const cells = [`${count} ${state}`.trim(), Math.round(resident / MEBIBYTE), each, median.toFixed(2)];
  console.log(cells.join(' | ') + (lost > 0 ? ` (${lost} were closed)` : ''));
}

/** From an address of its own for every so many, so that there are ports enough. */
function open(index: number): Promise<Socket> {
  const localAddress = `127.0.1.${1 + Math.floor(index / PER_ADDRESS)}`;
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', localAddress });
    socket.once('error', reject).once('connect', () => resolve(socket));
  });
}

/** An answer that the gateway gives by itself. */
function askOnce(socket: Socket): Promise<void> {
  socket.write('GET / HTTP/1.1\r\nHost: ..\r\n\r\n');
  return new Promise((resolve) => socket.once('data', () => resolve()));
}

/** @returns the median of some requests one after the other, milliseconds */
async function hello(): Promise<number> {
  const socket = await open(0);
  const times: number[] = [];
  for (let i = 0; i < ASKS; i++) {
    const started = performance.now();
    socket.write(`GET / HTTP/1.1\r\nHost: ${HELLO}\r\n\r\n`);
    await new Promise((resolve) => socket.once('data', resolve));
    times.push(performance.now() - started);
  }
  socket.destroy();
  return times.toSorted((a, b) => a - b)[ASKS / 2] ?? 0;
}
