import { inject } from 'vitest';
import { startBlueprintServer, type BlueprintServer } from './blueprint-server.ts';
import type { Child } from './child.ts';
import { startFaultyProxy, type FaultyProxy } from './faulty-proxy.ts';
import type { Answer } from './http.ts';
import { endingsOf, readMetrics, type Figures } from './metrics.ts';
import { startSystem, type System } from './system.ts';
import { waitFor } from './wait.ts';

const TOKEN = 'a-token-for-this-test';

/** A system whose runs are seen from outside: its script is `a.example` and answers with its blueprint. */
export interface CrashLab extends AsyncDisposable {
  readonly system: System;
  readonly runner: Child;
  readonly blueprints: BlueprintServer;
  readonly storage: FaultyProxy;
  ask(method: string, headers?: readonly (readonly [string, string])[]): Promise<Answer>;
  /** Waits until the blueprint server was asked so many times. */
  asked(count: number): Promise<void>;
  metrics(): Promise<Figures>;
  endings(): Promise<Record<string, number>>;
  /** Of the failed jobs that are kept. */
  failedReasons(): Promise<(string | undefined)[]>;
  /** Stops the runner, past the lock of its jobs, so that they are given to another, which is returned. */
  freezeUntilTaken(): Promise<Child>;
}

export function said(runner: Child, msg: string): boolean {
  return runner.records.some((record) => record.msg === msg);
}

export async function startCrashLab(env: Record<string, string> = {}): Promise<CrashLab> {
  const blueprints = await startBlueprintServer();
  const storage = await startFaultyProxy(inject('services').AWS_ENDPOINT);
  const target = { BLUEPRINT_TARGET: blueprints.target, UPSTREAM_TIMEOUT_MS: '25000' };
  const own = { AWS_ENDPOINT: storage.url, ADMIN_TOKEN: TOKEN, SCRIPT_TIMEOUT_MS: '20000' };
  const system = await startSystem({ env: { ...target, ...own, ...env } });
  await system.deploy('a.example', 'setBody(readResponseBody())');
  storage.forget();
  const runner = system.runners[0] as Child;
  const metrics = () => readMetrics(system.adminPort, TOKEN);
  return {
    system,
    runner,
    blueprints,
    storage,
    ask: (method, headers = []) =>
      system.request({ hostname: 'a.example', method, headers, ...(method === 'POST' ? { body: 'x' } : {}) }),
    asked: (count) => waitFor(`run ${count}`, () => blueprints.asked.length === count),
    metrics,
    endings: async () => endingsOf(await metrics()),
    failedReasons: () => failedReasons(system),
    async freezeUntilTaken() {
      runner.signal('SIGSTOP');
      const other = await system.addRunner();
      await waitFor('notice', () => said(other, 'its runner is gone: the job comes again'));
      return other;
    },
    async [Symbol.asyncDispose]() {
      await system[Symbol.asyncDispose]();
      await blueprints[Symbol.asyncDispose]();
      await storage[Symbol.asyncDispose]();
    },
  };
}

/** Codes of the records. */
async function failedReasons({ redis, env }: System): Promise<(string | undefined)[]> {
  const base = `${env['QUEUE_PREFIX']}:records`;
  const ids = await redis.zrange(`${base}:all`, '0', '-1');
  const texts = await Promise.all(ids.map((id) => redis.hget(`${base}:one:${id}`, 'json')));
  return texts.map((text) => (JSON.parse(text ?? '{}') as { code?: string }).code);
}
