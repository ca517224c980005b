import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { expect, test } from 'vitest';
import { processTree } from '../helpers/process-tree.ts';
import { startSystem, type System } from '../helpers/system.ts';
import { waitFor } from '../helpers/wait.ts';

/** More than the system's own buffers take. */
const BIG = 12 * 2 ** 20;
const LARGE = { MAX_RESPONSE_BYTES: String(16 * 2 ** 20) };

/** Asks for a large answer and does not read it. */
async function askAndSleep(system: System): Promise<Socket> {
  const socket = connect({ port: system.port, host: '127.0.0.1' });
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  socket.pause();
  socket.write('GET / HTTP/1.1\r\nHost: big.example\r\n\r\n');
  return socket;
}

/** Announces a body and sends all but its end. */
async function sendAlmost(system: System, bytes: number): Promise<Socket> {
  const socket = connect({ port: system.port, host: '127.0.0.1' });
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  socket.write(`POST / HTTP/1.1\r\nHost: ok.example\r\nContent-Length: ${bytes + 1}\r\n\r\n`);
  await new Promise<void>((resolve) => void socket.write(Buffer.alloc(bytes), () => resolve()));
  return socket;
}

async function answerOn(socket: Socket): Promise<string> {
  const parts: Buffer[] = [];
  socket.on('data', (part: Buffer) => parts.push(part));
  socket.resume();
  await once(socket, 'close');
  return Buffer.concat(parts).toString('latin1');
}

test('who does not read his answer in time is cut off', async () => {
  await using system = await startSystem({ env: { ...LARGE, ANSWER_TIMEOUT_MS: '1000' } });
  await system.deploy('big.example', `setBody('x'.repeat(${BIG}))`);
  const socket = await askAndSleep(system);
  expect(connections(system)).toBe(1);
  await waitFor('its end', () => connections(system) === 0);
  expect((await answerOn(socket)).length).toBeLessThan(BIG);
  expect((await system.request({ hostname: 'big.example' })).body.length).toBe(BIG);
});

/** Established ones, the gateway's ends: proc_net(5). */
function connections({ port }: System): number {
  const gateway = `0100007F:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const rows = readFileSync('/proc/net/tcp', 'latin1').split('\n');
  return rows.filter((row) => new RegExp(`^ *\\d+: ${gateway} \\S+ 01 `).test(row)).length;
}

test('many who do not read cannot take more than their part of the memory', async () => {
  await using system = await startSystem({ env: { ...LARGE, MAX_BODY_MEMORY_MB: '32' } });
  await system.deploy('big.example', `setBody('x'.repeat(${BIG}))`);
  await system.deploy('ok.example', 'setBody("ok")');
  const resident = () => processTree(system.gateway.pid)[0]?.rss ?? 0;
  const sockets: Socket[] = [];
  for (let i = 0; i < 40; i++) {
    sockets.push(await askAndSleep(system));
    expect((await system.request({ hostname: 'ok.example' })).text).toBe('ok');
  }
  // 480 MiB beyond its start, had all of them been kept. What nobody holds is collected when something happens.
  const isBounded = async (): Promise<boolean> => {
    expect((await system.request({ hostname: 'ok.example' })).text).toBe('ok');
    return resident() < 400 * 2 ** 20;
  };
  await waitFor('its size', isBounded, { details: () => `${resident()}` });
  expect((await system.request({ hostname: 'big.example' })).body.length).toBe(BIG);
  for (const socket of sockets) socket.destroy();
}, 60_000);

test('many who send slowly give way to others, the oldest first, with overloaded', async () => {
  await using system = await startSystem({ env: { MAX_BODY_MEMORY_MB: '4' } });
  await system.deploy('ok.example', 'setBody(String(readRequestBodyBytes().length))');
  const first = await sendAlmost(system, 900_000);
  const answer = answerOn(first);
  const others: Socket[] = [];
  for (let i = 0; i < 4; i++) others.push(await sendAlmost(system, 900_000));
  expect(await answer).toMatch(/^HTTP\/1\.1 503 [^]*Retry-After: \d+\r\n[^]*"code":"overloaded"/);
  // Those who come meanwhile and send at once are served.
  for (let i = 0; i < 5; i++) {
    const body = Buffer.alloc(900_000);
    expect((await system.request({ hostname: 'ok.example', method: 'POST', body })).text).toBe('900000');
  }
  for (const socket of others) socket.destroy();
});
