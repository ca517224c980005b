import { sendRequest } from './http.ts';

/** A gateway's figures by name and labels, as they stand in its `/metrics`: `name{label="value"}` → figure. */
export type Figures = ReadonlyMap<string, number>;

export async function readMetrics(adminPort: number, token: string): Promise<Figures> {
  const headers = [['Authorization', `Bearer ${token}`] as const];
  const { text } = await sendRequest(adminPort, { hostname: 'admin', path: '/metrics', headers });
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.split(' ').at(-1))]));
}

/** What became of the accepted requests: code → how many. */
export function endingsOf(figures: Figures): Record<string, number> {
  const ended = [...figures].filter(([name]) => name.startsWith('lc500_invocations_total{'));
  return Object.fromEntries(ended.map(([name, count]) => [/code="(\w+)"/.exec(name)?.[1] ?? '', count]));
}
