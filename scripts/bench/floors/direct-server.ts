import Koa from 'koa';
import type { AddressInfo } from 'node:net';
import { pino } from 'pino';
import { createSandboxes } from '../../../runner/create-sandboxes.ts';
import { loadConfig } from '../../../shared/config.ts';
import { runScript } from '../run-script.ts';

/**
 * HTTP and sandboxes without a queue between them, in one process: what is lost with it is all that a queue is there
 * for. Beside lc500 it shows what the queue costs. Prints `{"port": …}`.
 */
const config = loadConfig(process.env, []);
const { sandboxes } = await createSandboxes(config, pino({ level: 'silent' }));
await sandboxes.start();
const app = new Koa();
app.use(async (ctx) => {
  const outcome = await runScript(sandboxes, "setBody('hello');");
  if (outcome.kind !== 'answer') return ctx.throw(500, outcome.kind);
  ctx.body = outcome.body;
});
const server = app.listen(0, '127.0.0.1', () => {
  process.stdout.write(`${JSON.stringify({ port: (server.address() as AddressInfo).port })}\n`);
});
process.once('SIGTERM', () => {
  server.closeAllConnections();
  server.close();
  void sandboxes.close();
});
