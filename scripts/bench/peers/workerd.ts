import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { request } from 'undici';
import { spawnOwned } from '../../services/children.ts';
import type { Child } from '../child.ts';

export interface Workerd extends Child {
  /** Answers with a new dynamic worker for each request. */
  readonly freshPort: number;
  /** Answers with one isolate for all. */
  readonly reusedPort: number;
}

const GRACE_MS = 2000;

/** workerd (https://github.com/cloudflare/workerd), the runtime of Cloudflare Workers, from npm. */
export async function startWorkerd(): Promise<Workerd> {
  const folder = await mkdtemp(join(tmpdir(), 'lc500-bench-workerd-'));
  const [freshPort, reusedPort] = [await freePort(), await freePort()];
  const loader = await readFile(join(import.meta.dirname, 'workerd-loader.js'), 'utf8');
  await writeFile(join(folder, 'loader.js'), loader);
  await writeFile(join(folder, 'config.capnp'), configuration(freshPort, reusedPort));
  const args = ['serve', join(folder, 'config.capnp'), '--experimental'];
  const child = await spawnOwned(programFile(), args, {
    env: { ...process.env },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  await Promise.all([answers(freshPort), answers(reusedPort)]);
  return {
    pid: child.pid,
    freshPort,
    reusedPort,
    async [Symbol.asyncDispose]() {
      await child.stop(GRACE_MS);
      await rm(folder, { recursive: true });
    },
  };
}

/** The program itself: the package's `bin` is a script around it. */
function programFile(): string {
  const require = createRequire(join(import.meta.dirname, '../package.json'));
  const from = createRequire(require.resolve('workerd/package.json'));
  const arch = process.arch === 'x64' ? '64' : 'arm64';
  return from.resolve(`@cloudflare/workerd-${process.platform}-${arch}/bin/workerd`);
}

function configuration(freshPort: number, reusedPort: number): string {
  const date = 'compatibilityDate = "2026-09-01"';
  return `
    using Workerd = import "/workerd/workerd.capnp";
    const config :Workerd.Config = (
      services = [
        (name = "fresh", worker = (
          modules = [(name = "loader.js", esModule = embed "loader.js")], ${date},
          compatibilityFlags = ["experimental"],
          bindings = [(name = "LOADER", workerLoader = ())])),
        (name = "reused", worker = (
          modules = [(name = "index.js",
            esModule = "export default { fetch() { return new Response('hello'); } };")], ${date})),
      ],
      sockets = [
        (name = "fresh", address = "127.0.0.1:${freshPort}", http = (), service = "fresh"),
        (name = "reused", address = "127.0.0.1:${reusedPort}", http = (), service = "reused"),
      ]);`;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function answers(port: number): Promise<void> {
  for (let tries = 0; ; tries++) {
    const text = await request(`http://127.0.0.1:${port}/`).then(
      ({ body }) => body.text(),
      () => undefined,
    );
    if (text === 'hello') return;
    if (tries > 100) throw new Error(`workerd does not answer on port ${port}`);
    await sleep(50);
  }
}
