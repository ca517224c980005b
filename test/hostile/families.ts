import { answers } from './cases/answers.ts';
import { cpu } from './cases/cpu.ts';
import { escape } from './cases/escape.ts';
import { framing } from './cases/framing.ts';
import { headers } from './cases/headers.ts';
import { hostnames } from './cases/hostnames.ts';
import { intruderJobs, oversizedJobs } from './cases/jobs.ts';
import { logs } from './cases/logs.ts';
import { memory } from './cases/memory.ts';
import { intruderReplies } from './cases/replies.ts';
import { storage } from './cases/storage.ts';
import { scripts, type Family } from './hostile-case.ts';

/** Who does nothing bad, as often: what the victim notices of any others on the same machine. */
export const ORDINARY: Family = {
  name: 'ordinary clients',
  cases: scripts(
    { status: 200, text: 'GET /' },
    { echo: 'setBody(`${readRequestMethod()} ${readRequestUrl()}`)' },
  ),
};

/** Everything that is tried, in the order of its way through the system. */
export const FAMILIES: readonly Family[] = [
  framing,
  hostnames,
  headers,
  intruderJobs,
  oversizedJobs,
  intruderReplies,
  storage,
  cpu,
  memory,
  escape,
  answers,
  logs,
];
