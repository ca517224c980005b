import { execFile } from 'node:child_process';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { runInNewContext } from 'node:vm';

/**
 * What Node itself offers, for scale: a process per request (isolation by the system), or a `vm` context per
 * request (none: https://nodejs.org/api/vm.html says that it is not a security mechanism).
 *
 * Argument: `child` or `vm`. Prints `{"port": …}`.
 */
const ways = {
  child(response: ServerResponse): void {
    execFile(process.execPath, ['-e', 'process.stdout.write("hello")'], (error, stdout) => {
      response.writeHead(error ? 500 : 200).end(stdout);
    });
  },
  vm(response: ServerResponse): void {
    response.end(runInNewContext("'hello'", {}) as string);
  },
};
const way = ways[process.argv[2] as keyof typeof ways];
const server = createServer((_request, response) => way(response)).listen(0, '127.0.0.1', () => {
  process.stdout.write(`${JSON.stringify({ port: (server.address() as AddressInfo).port })}\n`);
});
