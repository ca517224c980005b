import { waitFor } from '../../helpers/wait.ts';
import type { AttackRoom, Family, HostileCase } from '../hostile-case.ts';

/** A record as ours would be; MARK tells the cases apart. */
const FORGED = `{"level":50,"time":"2026-01-01T00:00:00.000Z","process":"runner","pid":1,"requestId":"MARK","msg":"MARK"}`;

/** What is written is written so that a line of its own would look like a record, or like another on a terminal. */
const WRITTEN = {
  'a line that is a record': `console.log('\\n' + FORGED + '\\n')`,
  'carriage returns': `console.log('a\\r' + FORGED + '\\r')`,
  'other ends of lines': `console.log('a\\u2028' + FORGED + '\\u2029\\x85\\v\\f' + FORGED)`,
  'a terminal’s commands': `console.log('\\x1b[2K\\x1b[1A\\x1b]0;a\\x07' + FORGED)`,
  'an object that is a record': `console.log(JSON.parse(FORGED))`,
  'a level of its own': `console.error(FORGED); console.warn({ level: 60, msg: FORGED })`,
  'quotes that end a text': `console.log('","msg":"' + MARK + '","x":"')`,
  'a text that cannot be UTF-8': `console.log('\\ud800\\n' + FORGED)`,
  'more than fits': `for (let i = 0; i < 3000; i++) console.log('\\n' + FORGED)`,
  'an error’s message': `throw new Error('\\n' + FORGED + '\\n')`,
  'an error’s name': `const e = new Error('a'); e.name = '\\n' + FORGED; throw e`,
  'an error’s stack': `const e = new Error('a'); e.stack = 'index.js:1\\n' + FORGED + '\\nindex.js:'; throw e`,
  'a header that cannot be sent': `setHeader('\\n' + FORGED, 'a')`,
  'a status that cannot be sent': `setStatus({ valueOf: () => 1 }); setHeader('a', '\\n' + FORGED)`,
};

/** So many lines back at the most is what was caused a moment ago. */
const LINES = 2000;

/** What is wrong with the lines that hold the mark; `undefined`: nothing. */
function wrongWith(lines: readonly string[], mark: string): string | undefined {
  for (const line of lines.filter((candidate) => candidate.includes(mark))) {
    const record = asRecord(line);
    if (!record) return `a line that is no record: ${line.slice(0, 200)}`;
    if (record['requestId'] === mark || record['msg'] === mark)
      return `a forged record: ${line.slice(0, 200)}`;
    if (/[\p{Cc}\u2028\u2029]/u.test(line))
      return `a control character: ${JSON.stringify(line.slice(0, 200))}`;
  }
  return undefined;
}

function asRecord(line: string): Record<string, unknown> | undefined {
  try {
    return JSON.parse(line) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}

let marks = 0;

async function written({ system, hostname }: AttackRoom): Promise<string> {
  const mark = `MARK${++marks}x${process.pid}`;
  const answer = await system.request({ hostname, path: `/${mark}` });
  const id = answer.header('x-request-id') as string;
  const lines = () => system.runners.flatMap((runner) => runner.lines.slice(-LINES));
  await waitFor('a record of the request', () => lines().some((line) => line.includes(id)));
  return wrongWith(lines(), mark) ?? 'clean';
}

export const logs: Family = {
  name: 'log forging',
  cases: Object.entries(WRITTEN).map(([name, script]): HostileCase => ({
    name,
    script: `const MARK = readRequestUrl().slice(1); const FORGED = ${JSON.stringify(FORGED)}.replaceAll('MARK', MARK); ${script}`,
    act: written,
    expected: { status: 200, text: 'clean' },
  })),
};
