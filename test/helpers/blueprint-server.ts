import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** An HTTP server that is asked for blueprints: what a run does is seen from outside by what is asked here. */
export interface BlueprintServer extends AsyncDisposable {
  /** The value for `BLUEPRINT_TARGET`. */
  readonly target: string;
  /** Path and query of every request, in the order they came. */
  readonly asked: readonly string[];
  /** Requests whose asker gave up before it was answered. */
  readonly brokenOff: readonly string[];
  /** From now on requests wait; the returned function answers those that do, and all later ones at once. */
  hold(): () => void;
}

/** Answers everything with 200 and the number of requests so far as its body. */
export async function startBlueprintServer(): Promise<BlueprintServer> {
  const asked: string[] = [];
  const brokenOff: string[] = [];
  let gate = Promise.resolve();
  const server = createServer((message, res) => {
    const path = String(message.url).replace(/^http:\/\/[^/]*/, '');
    asked.push(path);
    const number = String(asked.length);
    res.once('close', () => {
      if (!res.writableFinished) brokenOff.push(path);
    });
    message.resume();
    void gate.then(() => res.end(number));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    target: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    brokenOff,
    hold() {
      const { promise, resolve } = Promise.withResolvers<void>();
      gate = promise;
      return resolve;
    },
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}
