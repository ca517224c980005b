import { Agent } from 'node:http';
import { nanoid } from 'nanoid';
import { expect, test } from 'vitest';
import { startSystem } from '../helpers/system.ts';
import { waitFor } from '../helpers/wait.ts';

const REQUESTS = 2000;
const CONNECTIONS = 32;

const SCRIPT = (tenant: string) => `
  globalThis.seen = (globalThis.seen ?? 0) + 1;
  setHeader('X-Marker', readRequestHeader('X-Marker'));
  setBody(JSON.stringify({ tenant: '${tenant}', seen, url: readRequestUrl(), body: readRequestBody() }));`;

test('2,000 requests of two tenants at 32 connections: every answer belongs to its request', async () => {
  await using system = await startSystem({ runners: 2 });
  const tenants = ['one.example', 'two.example'];
  await Promise.all(tenants.map((hostname) => system.deploy(hostname, SCRIPT(hostname))));
  using agent = Object.assign(new Agent({ keepAlive: true, maxSockets: CONNECTIONS }), {
    [Symbol.dispose]: () => agent.destroy(),
  });

  const ask = async (i: number): Promise<void> => {
    const hostname = tenants[i % 2] as string;
    const marker = nanoid();
    const post = i % 3 === 0;
    const answer = await system.request({
      agent,
      hostname,
      method: post ? 'POST' : 'GET',
      path: `/${marker}`,
      headers: [['X-Marker', marker]],
      ...(post ? { body: `${marker} ü ${'x'.repeat(i)}` } : {}),
    });
    expect(answer.status).toBe(200);
    expect(answer.header('x-marker')).toBe(marker);
    const body = post ? `${marker} ü ${'x'.repeat(i)}` : '';
    expect(answer.json()).toEqual({ tenant: hostname, seen: 1, url: `/${marker}`, body });
  };
  let next = 0;
  const client = async (): Promise<void> => {
    while (next < REQUESTS) await ask(next++);
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, client));

  const prefix = `${system.env['QUEUE_PREFIX']}:invocations`;
  // A job is finished just after its reply.
  await waitFor('the end of all jobs', async () => (await system.redis.llen(`${prefix}:active`)) === 0);
  expect(await system.redis.exists(`${prefix}:failed`)).toBe(0);
});
