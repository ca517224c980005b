import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCli, type CliResult } from './cli.ts';
import { startSystem, type System } from './system.ts';
import { waitFor } from './wait.ts';

/** A system, and somebody who looks after it from a folder of his own by the command line. */
export interface OperatedSystem extends AsyncDisposable {
  readonly system: System;
  readonly folder: string;
  readonly env: Readonly<Record<string, string>>;
  /** `lc500 …` by words that are parted by spaces. */
  readonly lc500: (command: string) => Promise<CliResult>;
  /** Sends a request that fails. @returns its id, when its record is there */
  readonly failed: (
    hostname: string,
    options?: { method?: string; path?: string; body?: Buffer },
  ) => Promise<string>;
}

const TOKEN = 'token-of-the-operator';

/** Blueprints are in the bucket: `system.putObject('<hostname>/blueprint.json', …)`. */
export async function startOperatedSystem(): Promise<OperatedSystem> {
  const system = await startSystem({ env: { ADMIN_TOKEN: TOKEN, BLUEPRINT_TARGET: 's3' } });
  const folder = await mkdtemp(join(tmpdir(), 'lc500-operator-'));
  const env = { LC500_ADMIN: `http://127.0.0.1:${system.adminPort}`, ADMIN_TOKEN: TOKEN };
  const isKept = async (id: string): Promise<boolean> => {
    const headers = { authorization: `Bearer ${TOKEN}` };
    const { status } = await fetch(`${env.LC500_ADMIN}/invocations/${id}`, { headers });
    return status === 200;
  };
  return {
    system,
    folder,
    env,
    lc500: (command) => runCli(command.split(' '), { env, cwd: folder }),
    async failed(hostname, options = {}) {
      const answer = await system.request({ hostname, ...options });
      if (answer.status < 500) throw new Error(`it did not fail: ${answer.status} ${answer.text}`);
      const id = String(answer.header('x-request-id'));
      await waitFor('the record', () => isKept(id));
      return id;
    },
    async [Symbol.asyncDispose]() {
      await system[Symbol.asyncDispose]();
      await rm(folder, { recursive: true });
    },
  };
}
