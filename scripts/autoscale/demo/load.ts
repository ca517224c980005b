import { Agent, request } from 'node:http';
import { exponential, seededRandom } from '../simulate/random.ts';

/** What became of one request. Milliseconds. */
export interface Outcome {
  /** Since the load began. */
  readonly at: number;
  /** 0: no answer. */
  readonly status: number;
  readonly totalMs: number;
  /** From `Server-Timing`: before a runner had it, in the runner before a sandbox had it, in the sandbox. */
  readonly queueMs: number;
  readonly prepareMs: number;
  readonly sandboxMs: number;
}

export interface Stage {
  readonly seconds: number;
  readonly rate: number;
}

/** Connections that idle longer are closed from this side, before the gateway may do so while one is used. */
const IDLE_MS = 20_000;

/** Sends requests as a Poisson stream, whether the earlier ones are answered or not, and waits for all answers. */
export async function runLoad(
  port: number,
  hostname: string,
  stages: readonly Stage[],
  seed: number,
): Promise<Outcome[]> {
  using agent = Object.assign(new Agent({ keepAlive: true, timeout: IDLE_MS }), {
    [Symbol.dispose]: () => agent.destroy(),
  });
  const random = seededRandom(seed);
  const began = performance.now();
  const pending: Promise<Outcome>[] = [];
  let next = 0;
  let end = 0;
  for (const { seconds, rate } of stages) {
    end += seconds * 1000;
    for (next = end - seconds * 1000; next < end; next += exponential(random, 1000 / rate)) {
      const early = began + next - performance.now();
      if (early > 1) await new Promise((resolve) => setTimeout(resolve, early));
      pending.push(ask(port, hostname, agent, began));
    }
  }
  // Awaited here: the connections last no longer than this function.
  return await Promise.all(pending);
}

function ask(port: number, hostname: string, agent: Agent, began: number): Promise<Outcome> {
  const sent = performance.now();
  return new Promise((resolve) => {
    const done = (status: number, timing: string): void => {
      const of = (name: string): number => Number(new RegExp(`${name};dur=([\\d.]+)`).exec(timing)?.[1] ?? 0);
      const sandboxMs = of('isolate') + of('script');
      const totalMs = performance.now() - sent;
      resolve({
        at: sent - began,
        status,
        totalMs,
        queueMs: of('queue'),
        prepareMs: of('prepare'),
        sandboxMs,
      });
    };
    request({ host: '127.0.0.1', port, agent, headers: { host: hostname } })
      .on('error', (error) => {
        process.stderr.write(`no answer: ${error.message}\n`);
        done(0, '');
      })
      .on('response', (response) => {
        response.resume();
        response.on('end', () =>
          done(response.statusCode ?? 0, String(response.headers['server-timing'] ?? '')),
        );
      })
      .end();
  });
}
