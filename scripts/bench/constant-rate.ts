import { Agent, request } from 'undici';
import type { LoadResult } from './wrk.ts';
import { latencyOf } from './statistics.ts';

/**
 * An open loop: requests leave at fixed times whatever became of those before, and their latency counts from
 * the time at which they should have left. A closed loop would stop asking while the server is slow and so never
 * see how long a queue gets ("coordinated omission"). Of the load generators at hand wrk has no such mode, and
 * autocannon sends each second's requests in one burst.
 *
 * @param rate requests per second
 * @param onAnswer hears of each answer, with its status, its latency in milliseconds, and its `Retry-After` in seconds
 */
export async function runConstantRate(options: {
  port: number;
  host: string;
  rate: number;
  seconds: number;
  onAnswer?: (status: number, latency: number, retryAfter: number) => void;
}): Promise<LoadResult> {
  const { port, host, rate, seconds, onAnswer } = options;
  const agent = new Agent({ connections: 512, pipelining: 1 });
  const total = Math.floor(rate * seconds);
  const latencies: number[] = [];
  let errors = 0;
  const send = async (due: number): Promise<void> => {
    try {
      const url = `http://127.0.0.1:${port}/`;
      const answer = await request(url, { dispatcher: agent, headers: { host } });
      await answer.body.dump();
      if (answer.statusCode >= 400) errors++;
      const latency = performance.now() - due;
      latencies.push(latency);
      onAnswer?.(answer.statusCode, latency, Number(answer.headers['retry-after'] ?? 0));
    } catch {
      errors++;
    }
  };
  const begun = performance.now();
  const sent: Promise<void>[] = [];
  await new Promise<void>((resolve) => {
    // Timers have a resolution of a millisecond; each turn sends all that is due.
    const timer = setInterval(() => {
      // The first one is due at once.
      const due = Math.min(total, 1 + Math.floor(((performance.now() - begun) / 1000) * rate));
      while (sent.length < due) sent.push(send(begun + (sent.length / rate) * 1000));
      if (due < total) return;
      clearInterval(timer);
      resolve();
    }, 1);
  });
  await Promise.all(sent);
  await agent.close();
  const elapsed = (performance.now() - begun) / 1000;
  return { ...latencyOf(latencies), requests: total, rate: total / elapsed, errors };
}
