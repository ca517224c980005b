import { Webhook } from 'standardwebhooks';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { answerAt, locationIn, sendLater } from '../helpers/later.ts';
import { startReceiver, type Received, type Receiver } from '../helpers/receiver.ts';
import { startSystem, type System } from '../helpers/system.ts';
import { waitFor } from '../helpers/wait.ts';

const HOST = 'a.example';
const SECRET = `whsec_${Buffer.alloc(32, 1).toString('base64')}`;

let receiver: Receiver;
let system: System;
beforeEach(async () => {
  receiver = await startReceiver();
});
afterEach(async () => {
  await system[Symbol.asyncDispose]();
  await receiver[Symbol.asyncDispose]();
});

async function start(env: Record<string, string> = {}, url = receiver.url): Promise<void> {
  system = await startSystem({
    env: { CALLBACK_TARGETS: 'any', CALLBACK_BACKOFF_MS: '100', CALLBACK_TIMEOUT_MS: '1000', ...env },
  });
  await system.deploy(HOST, 'setStatus(201); setHeader("A", "b"); setBody(readRequestUrl())');
  const callback = { url, secret: SECRET };
  await system.putObject(`${HOST}/lc500.json`, JSON.stringify({ callback }));
}

async function later(path: string, hostname = HOST): Promise<string> {
  return locationIn(await sendLater(system.port, { hostname, path }));
}

const verified = ({ body, headers }: Received): unknown =>
  new Webhook(SECRET).verify(body, headers as Record<string, string>);
const logged = (msg: string): boolean =>
  system.runners.some((runner) => runner.records.some((record) => record.msg === msg));

test('a tenant is told what became of an asynchronous request, and of no other', async () => {
  await start();
  await system.deploy('quiet.example', 'setBody("x")');
  await system.request({ hostname: HOST, path: '/sync' });
  await answerAt(system.port, 'quiet.example', await later('/quiet', 'quiet.example'));
  const location = await later('/async');
  await waitFor('the callback', () => receiver.received.length > 0);
  const [first] = receiver.received as [Received];
  expect(first.path).toBe('/hook?a=b');
  expect(first.headers['content-type']).toBe('application/json');
  const answer = await answerAt(system.port, HOST, location);
  expect(verified(first)).toMatchObject({
    type: 'invocation.done',
    data: {
      requestId: answer.header('X-Request-Id'),
      hostname: HOST,
      location,
      status: 201,
      headers: [['A', 'b']],
      body: { encoding: 'utf8', data: '/async' },
    },
  });
  expect(receiver.received).toHaveLength(1);
});

test('it is tried again, later and later, with the same id, until it is taken; redirects are not followed', async () => {
  await start();
  receiver.next(500, 0, 307, 200);
  await later('/');
  await waitFor('the fourth try', () => receiver.received.length === 4);
  const tries = receiver.received;
  for (const each of tries) verified(each);
  expect(new Set(tries.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
  expect(new Set(tries.map(({ path }) => path))).toEqual(new Set(['/hook?a=b']));
  expect(new Set(tries.map(({ body }) => body)).size).toBe(1);
  const pause = (of: number): number => (tries[of] as Received).at - (tries[of - 1] as Received).at;
  expect(pause(1)).toBeGreaterThanOrEqual(50);
  expect(pause(3)).toBeGreaterThanOrEqual(200);
});

test('it is given up after CALLBACK_ATTEMPTS, and at once when the receiver wants no more', async () => {
  await start({ CALLBACK_ATTEMPTS: '2' });
  receiver.next(500, 500);
  await later('/');
  await waitFor('the end', () => logged('a callback was given up'));
  expect(receiver.received).toHaveLength(2);
  receiver.next(410);
  await later('/');
  await waitFor('the third', () => receiver.received.length === 3);
  const failed = `${system.env['QUEUE_PREFIX']}:callbacks:failed`;
  await waitFor('both given up', async () => (await system.redis.zcard(failed)) === 2);
});

test('a private address is never connected to', async () => {
  await start({ CALLBACK_TARGETS: 'public' }, receiver.url.replace('http:', 'https:'));
  await later('/');
  await waitFor('the end', () => logged('a callback was given up'));
  const record = system.runners[0]?.records.find(({ msg }) => msg === 'a callback was given up');
  expect(record).toMatchObject({ tenant: HOST, reason: '127.0.0.1 is not a public address', tries: 1 });
  expect(receiver.received).toEqual([]);
});

test('a callback outlives its runner, and settings that cannot be used are said to the operator', async () => {
  await start({ CALLBACK_BACKOFF_MS: '1500' });
  receiver.next(500);
  await later('/');
  await waitFor('the first try', () => logged('a callback was not delivered; trying again later'));
  system.runners[0]?.signal('SIGKILL');
  await system.addRunner();
  await waitFor('the second', () => receiver.received.length === 2);
  await system.deploy('b.example', 'setBody("x")');
  await system.putObject('b.example/lc500.json', JSON.stringify({ callback: { url: 'x', secret: SECRET } }));
  await answerAt(system.port, 'b.example', await later('/', 'b.example'));
  await waitFor('the word', () => logged('the settings cannot be used'));
  expect(system.runners.map((runner) => runner.output()).join('')).not.toContain(SECRET);
});
