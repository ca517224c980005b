import { setTimeout as sleep } from 'node:timers/promises';
import { replyIdOf, decodeInvocation } from '../../../shared/invocation.ts';
import type { AttackRoom, Family, HostileCase } from '../hostile-case.ts';
import type { Answer } from '../../helpers/http.ts';

const TIMINGS = { prepare: 0, isolate: 0, script: 0, total: 0 };
const BUSY_MS = 300;
/** On a busy machine the genuine reply may be there before the forged one. */
const TRIES = 10;
/** Between two looks for it: reading the queue without a pause would be an attack of its own, on Redis. */
const LOOK_MS = 5;
const GENUINE = 'genuine';
/** Long enough that a forged reply is there first. */
const SCRIPT = `const end = Date.now() + ${BUSY_MS}; while (Date.now() < end); setBody('${GENUINE}')`;

interface Target {
  readonly id: string;
  /** With the secret: what only who can read the queue knows. */
  readonly replyId: string;
  readonly stream: string;
}

interface Forged {
  readonly head: unknown;
  readonly body?: string | Buffer;
  readonly times?: number;
}

type Forge = (target: Target) => Forged;

const response = (id: string, change: object = {}): object => ({
  v: 1,
  kind: 'response',
  id,
  status: 200,
  headers: [],
  timings: TIMINGS,
  ...change,
});

/**
 * Asks for something, finds its job in Redis as an intruder would, and writes a reply before the runner does.
 *
 * @param mustBeFirst whether the genuine answer says nothing: its reply may have been there before, though not each time
 */
async function forge(room: AttackRoom, forgery: Forge, mustBeFirst = false): Promise<Answer> {
  for (let i = 0; i < TRIES; i++) {
    const path = `/${Math.random()}`;
    const answered = new AbortController();
    const pending = room.system.request({ hostname: room.hostname, path }).finally(() => answered.abort());
    const target = await find(room, path, answered.signal);
    if (target) await write(room, target, forgery(target));
    const answer = await pending;
    const saysNothing = !target || (mustBeFirst && answer.text === GENUINE);
    if (!saysNothing) return answer;
  }
  throw new Error('no forged reply was there in time');
}

async function find({ queue }: AttackRoom, path: string, end: AbortSignal): Promise<Target | undefined> {
  while (!end.aborted) {
    const jobs = await queue.getJobs(['active', 'waiting']);
    const found = jobs.find((job) => (job?.data as { url?: string } | undefined)?.url === path);
    if (!found) {
      await sleep(LOOK_MS);
      continue;
    }
    const invocation = decodeInvocation(found.data);
    return { id: invocation.id, replyId: replyIdOf(invocation), stream: invocation.replyTo };
  }
  return undefined;
}

async function write({ system }: AttackRoom, { stream }: Target, forged: Forged): Promise<void> {
  const { head, body = 'forged', times = 1 } = forged;
  const text = typeof head === 'string' ? head : JSON.stringify(head);
  for (let i = 0; i < times; i++) await system.redis.xadd(stream, '*', 'h', text, 'b', body);
}

/** Nobody who does not know the secret can answer. */
const IGNORED: Readonly<Record<string, Forge>> = {
  'the request’s id': ({ id }) => ({ head: response(id) }),
  'the id and a guess': ({ id }) => ({ head: response(`${id}.AAAAAAAAAAAAAAAAAAAAA`) }),
  'the id and an empty secret': ({ id }) => ({ head: response(`${id}.`) }),
  'a secret too many': ({ replyId }) => ({ head: response(`${replyId}.x`) }),
  'half the secret': ({ replyId }) => ({ head: response(replyId.slice(0, -1)) }),
  'the secret alone': ({ id, replyId }) => ({ head: response(replyId.slice(id.length + 1)) }),
  'an id that is a list': ({ replyId }) => ({ head: response(replyId, { id: [replyId] }) }),
  'an id as every object has': () => ({ head: response('__proto__') }),
  'a thousand guesses': ({ id }) => ({ head: response(`${id}.guess`), times: 1000 }),
  'no JSON': () => ({ head: '{' }),
  'JSON that is nested deeply': () => ({ head: '['.repeat(50_000) }),
  'an unknown version': ({ replyId }) => ({ head: response(replyId, { v: 2 }) }),
  'a status that is none': ({ replyId }) => ({ head: response(replyId, { status: 99 }) }),
  'a status of the connection': ({ replyId }) => ({ head: response(replyId, { status: 101 }) }),
  'headers that are none': ({ replyId }) => ({ head: response(replyId, { headers: 'a: b' }) }),
  'an unknown code': ({ replyId }) => ({
    head: { v: 1, kind: 'failure', id: replyId, code: 'forged', timings: TIMINGS },
  }),
  'timings that are none': ({ replyId }) => ({ head: response(replyId, { timings: null }) }),
  '8 MB for nobody': ({ id }) => ({ head: response(id), body: Buffer.alloc(8_000_000, 'x') }),
};

/** Who can read the queue can answer; what cannot be sent is still not sent. */
const UNSENDABLE: Readonly<Record<string, Forge>> = {
  'a value that breaks lines, with the secret': ({ replyId }) => ({
    head: response(replyId, { headers: [['a', 'b\r\nSet-Cookie: c']] }),
  }),
  'a name that breaks lines, with the secret': ({ replyId }) => ({
    head: response(replyId, { headers: [['a\r\nb', 'c']] }),
  }),
};

export const intruderReplies: Family = {
  name: 'replies of an intruder',
  cases: [
    ...Object.entries(IGNORED).map(([name, forgery]): HostileCase => ({
      name,
      script: SCRIPT,
      act: (room) => forge(room, forgery),
      expected: { status: 200, text: GENUINE },
    })),
    ...Object.entries(UNSENDABLE).map(([name, forgery]): HostileCase => ({
      name,
      script: SCRIPT,
      act: (room) => forge(room, forgery, true),
      expected: 'internal_error',
    })),
    {
      name: 'fields that are none of a reply',
      act: async ({ system, hostname, prefix }) => {
        const streams = await system.redis.keys(`${prefix}:replies:*`);
        for (const stream of streams) {
          if ((await system.redis.type(stream)) !== 'stream') continue;
          await system.redis.xadd(stream, '*', 'other', 'fields');
          await system.redis.xadd(stream, '*', 'h', '{}');
          await system.redis.xadd(stream, '*', 'h', Buffer.from([0xff, 0xfe]), 'b', '', 'c', 'd');
        }
        return system.request({ hostname });
      },
      expected: { status: 200 },
    },
  ],
};
