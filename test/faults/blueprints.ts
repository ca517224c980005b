import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/**
 * A blueprint server that counts. Every run of a script asks for its blueprint once, with the request's own path;
 * so what was run, and how often, is seen here, whatever became of the answer.
 */
export interface Blueprints extends AsyncDisposable {
  /** The value for `BLUEPRINT_TARGET`. */
  readonly target: string;
  /** How often a path was asked for. */
  asked(path: string): number;
  /** Requests are taken and not answered, until `resume`. */
  hang(): void;
  resume(): void;
  /** The server is gone: connections break and are refused, until `comeBack`. */
  die(): Promise<void>;
  comeBack(): Promise<void>;
}

export async function startBlueprints(): Promise<Blueprints> {
  const counts = new Map<string, number>();
  const held = new Set<ServerResponse>();
  let hangs = false;
  const server = createServer((message, res) => {
    const path = String(message.url).replace(/^http:\/\/[^/]*/, '');
    counts.set(path, (counts.get(path) ?? 0) + 1);
    message.resume();
    if (hangs) held.add(res);
    else res.end(path);
  });
  const listen = async (port: number): Promise<void> =>
    void (await once(server.listen(port, '127.0.0.1'), 'listening'));
  const die = async (): Promise<void> => {
    if (!server.listening) return;
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
  };
  await listen(0);
  const { port } = server.address() as AddressInfo;
  return {
    target: `127.0.0.1:${port}`,
    asked: (path) => counts.get(path) ?? 0,
    hang: () => void (hangs = true),
    resume() {
      hangs = false;
      for (const res of held) res.destroy();
      held.clear();
    },
    die,
    comeBack: () => listen(port),
    [Symbol.asyncDispose]: die,
  };
}
