import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { expect, test } from 'vitest';
import { processTree } from '../helpers/process-tree.ts';
import { sendRaw } from '../helpers/http.ts';
import { startSystem } from '../helpers/system.ts';
import { waitFor } from '../helpers/wait.ts';

const GET = 'GET /x HTTP/1.1\r\nHost: a.example\r\n\r\n';

/** A connection that is kept, from an address of its own if need be. */
async function open(port: number, localAddress = '127.0.0.1'): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', localAddress });
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
}

test('connections of one address are bounded, and others are served meanwhile', async () => {
  await using system = await startSystem({ env: { MAX_CONNECTIONS_PER_ADDRESS: '5' } });
  await system.deploy('a.example', 'setBody("ok")');
  const kept = await Promise.all(Array.from({ length: 5 }, () => open(system.port, '127.0.0.2')));
  const sixth = await open(system.port, '127.0.0.2');
  sixth.write(GET);
  const [said] = (await once(sixth, 'data')) as [Buffer];
  expect(said.toString()).toMatch(/^HTTP\/1\.1 429 [^]*Retry-After: 1\r\n[^]*"code":"too_many_connections"/);
  await once(sixth, 'close');
  expect((await system.request({ hostname: 'a.example' })).text).toBe('ok');
  // Those that are there stay, and whoever goes makes room.
  kept[0]?.write(GET);
  expect(String(await once(kept[0] as Socket, 'data'))).toMatch(/^HTTP\/1\.1 200/);
  kept[0]?.destroy();
  await waitFor('room', async () => {
    const socket = await open(system.port, '127.0.0.2');
    socket.write(GET);
    const isServed = String((await once(socket, 'data'))[0]).startsWith('HTTP/1.1 200');
    socket.destroy();
    return isServed;
  });
  for (const socket of kept) socket.destroy();
});

test('connections in total are bounded', async () => {
  await using system = await startSystem({ env: { MAX_CONNECTIONS: '10' } });
  await system.deploy('a.example', 'setBody("ok")');
  const kept = await Promise.all(Array.from({ length: 10 }, (_, i) => open(system.port, `127.0.0.${i + 2}`)));
  await waitFor('the last one', async () => !(await canAsk(system.port)));
  expect(await canAsk(system.port)).toBe(false);
  kept.pop()?.destroy();
  await waitFor('room', () => canAsk(system.port));
  for (const socket of kept) socket.destroy();
});

async function canAsk(port: number): Promise<boolean> {
  return (await sendRaw(port, GET.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n'))).status === 200;
}

test('2,000 idle connections cost little memory, and others are served meanwhile', async () => {
  await using system = await startSystem({ env: { MAX_CONNECTIONS_PER_ADDRESS: '3000' } });
  await system.deploy('a.example', 'setBody("ok")');
  const resident = () => processTree(system.gateway.pid)[0]?.rss ?? 0;
  for (let i = 0; i < 50; i++) await system.request({ hostname: 'a.example' });
  const before = resident();
  const idle: Socket[] = [];
  for (let i = 0; i < 20; i++)
    idle.push(...(await Promise.all(Array.from({ length: 100 }, () => open(system.port)))));
  for (let i = 0; i < 50; i++) expect((await system.request({ hostname: 'a.example' })).status).toBe(200);
  const grown = resident() - before;
  for (const socket of idle) socket.destroy();
  expect(grown).toBeLessThan(100 * 2 ** 20);
});

test('requests of one connection are bounded: those before are answered in order, those after are not run', async () => {
  await using system = await startSystem({ env: { MAX_PIPELINED: '4' } });
  await system.deploy('a.example', 'setBody(readRequestUrl())');
  const ask = (path: string) => `GET ${path} HTTP/1.1\r\nHost: a.example\r\n\r\n`;
  const within = await system.raw(['/1', '/2', '/3', '/4'].map(ask).join(''), 2000);
  expect(bodies(within.received)).toEqual(['/1', '/2', '/3', '/4']);
  expect(within.closed).toBe(false);
  const beyond = await system.raw(['/1', '/2', '/3', '/4', '/5', '/6'].map(ask).join(''), 10_000);
  expect(bodies(beyond.received)).toEqual(['/1', '/2', '/3', '/4']);
  expect(beyond.closed).toBe(true);
  expect(beyond.received).toMatch(/Connection: close/i);
  // Far too many: cut off.
  const flood = await system.raw(ask('/f').repeat(200), 10_000);
  expect(flood.closed).toBe(true);
  expect((await system.request({ hostname: 'a.example', path: '/after' })).text).toBe('/after');
});

function bodies(received: string): string[] {
  return [...received.matchAll(/\r\n\r\n(\/(?:\d|slow))/g)].map(([, body]) => body as string);
}

test('what cannot be read behind a request does not come out as that one’s answer', async () => {
  await using system = await startSystem();
  await system.deploy(
    'a.example',
    'const end = Date.now() + 200; while (Date.now() < end); setBody("/slow")',
  );
  const answer = await system.raw(`${GET}nonsense\r\n\r\n`, 10_000);
  expect(answer.status).toBe(200);
  expect(bodies(answer.received)).toEqual(['/slow']);
  expect([answer.closed, answer.received.match(/HTTP\/1\.1/g)?.length]).toEqual([true, 1]);
});

test('more headers than allowed are headers_too_large, none is dropped in silence', async () => {
  await using system = await startSystem({ env: { MAX_HEADERS: '20', MAX_HEADER_BYTES: '4096' } });
  await system.deploy('a.example', 'setBody(String(Object.keys(readRequestHeaders()).length))');
  const headers = (n: number) => Array.from({ length: n }, (_, i) => [`X-${i}`, 'v'] as const);
  // Beside Host and Connection.
  expect((await system.request({ hostname: 'a.example', headers: headers(18) })).text).toBe('20');
  for (const n of [19, 60]) {
    const refused = await system.request({ hostname: 'a.example', headers: headers(n) });
    expect(refused.json()).toMatchObject({ code: 'headers_too_large', status: 431 });
  }
  const long = await system.request({ hostname: 'a.example', headers: [['X-Long', 'v'.repeat(5000)]] });
  expect(long.json()).toMatchObject({ code: 'headers_too_large', status: 431 });
});

test('a connection that lies idle is closed', async () => {
  await using system = await startSystem({
    env: { KEEP_ALIVE_TIMEOUT_MS: '300', HEADERS_TIMEOUT_MS: '400' },
  });
  await system.deploy('a.example', 'setBody("ok")');
  const socket = await open(system.port);
  socket.write(GET);
  const ended = once(socket, 'close');
  socket.resume();
  await ended;
  // One that never said anything is closed, too, after the time for headers.
  const silent = await open(system.port);
  silent.resume();
  await once(silent, 'close');
  expect([socket.destroyed, silent.destroyed]).toEqual([true, true]);
});
