import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';

/** A port on 127.0.0.1 that nobody listens on at this moment; somebody else may take it in the next. */
export async function freePort(): Promise<number> {
  return await tryPort(0);
}

/** Whether 127.0.0.1 has this port to give; another failure than "taken" counts as taken as well. */
export async function isPortFree(port: number): Promise<boolean> {
  return await tryPort(port).then(
    () => true,
    () => false,
  );
}

async function tryPort(port: number): Promise<number> {
  const server = createServer().listen(port, '127.0.0.1');
  await once(server, 'listening');
  const { port: given } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return given;
}
