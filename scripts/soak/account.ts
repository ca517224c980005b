import type { SoakSystem } from './system.ts';

/** What all gateways together say of the requests that they accepted. */
export interface Account {
  readonly accepted: number;
  readonly inFlight: number;
  readonly secondEndings: number;
  readonly awaited: number;
  /** Code → how many ended with it. */
  readonly endings: Readonly<Record<string, number>>;
}

/** Reads every gateway's `/metrics`. */
export async function readAccount({ gateways, token }: SoakSystem): Promise<Account> {
  const headers = { authorization: `Bearer ${token}` };
  const texts = await Promise.all(
    gateways.map(async ({ adminPort }) =>
      (await fetch(`http://127.0.0.1:${adminPort}/metrics`, { headers })).text(),
    ),
  );
  const lines = texts.flatMap((text) => text.split('\n'));
  const sum = (name: string): number =>
    lines
      .filter((line) => line.startsWith(`${name} `))
      .reduce((total, line) => total + Number(line.slice(name.length + 1)), 0);
  const endings: Record<string, number> = {};
  for (const line of lines) {
    const [, code, count] = /^lc500_invocations_total\{.*code="(\w+)".*\} (\d+)$/.exec(line) ?? [];
    if (code !== undefined) endings[code] = (endings[code] ?? 0) + Number(count);
  }
  return {
    accepted: sum('lc500_invocations_accepted_total'),
    inFlight: sum('lc500_invocations_in_flight'),
    secondEndings: sum('lc500_invocations_second_endings_total'),
    awaited: sum('lc500_replies_awaited'),
    endings,
  };
}
