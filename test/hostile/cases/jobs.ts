import type { Job } from 'bullmq';
import { encodeInvocation, type InvocationData } from '../../../shared/invocation.ts';
import { JOB_NAME, JOB_OPTIONS, QUEUE_NAME } from '../../../shared/queue.ts';
import { waitFor } from '../../helpers/wait.ts';
import type { AttackRoom, Family, HostileCase } from '../hostile-case.ts';
import { endOf, genuine, settle } from './write-job.ts';

/** What is written instead, or a promise of it. */
type Change = (data: InvocationData, room: AttackRoom) => unknown;

const row = (name: string, expected: string | RegExp, change: Change): HostileCase => ({
  name,
  act: async (room) => {
    const invocation = genuine(room);
    return settle(room, invocation, await change(encodeInvocation(invocation), room));
  },
  expected: { status: 200, text: expected },
});

const UNREADABLE = /^not an invocation: /;
const foreign = (part: string): string => `not an invocation of this deployment: ${part}`;

const UNREADABLE_ROWS: Readonly<Record<string, Change>> = {
  nothing: () => null,
  'a text': () => 'run me',
  'a list': () => [1, 2, 3],
  'an empty object': () => ({}),
  'an unknown version': (data) => ({ ...data, v: 2 }),
  'a version that is a text': (data) => ({ ...data, v: '1' }),
  'no version': ({ v: _v, ...data }) => data,
  'no hostname': ({ hostname: _hostname, ...data }) => data,
  'a hostname that is a list': (data) => ({ ...data, hostname: [data.hostname] }),
  'an id that is an object': (data) => ({ ...data, id: { toString: 'a' } }),
  'an id of a megabyte': (data) => ({ ...data, id: 'x'.repeat(1e6) }),
  'headers that are an object': (data) => ({ ...data, headers: { a: 'b' } }),
  'a header of three': (data) => ({ ...data, headers: [['a', 'b', 'c']] }),
  'a header that is a number': (data) => ({ ...data, headers: [['a', 1]] }),
  'a body that is a text': (data) => ({ ...data, body: 'abc' }),
  'a body in an unknown encoding': (data) => ({ ...data, body: { encoding: 'hex', data: '00' } }),
  'a body beside it of no length': (data) => ({ ...data, body: { encoding: 'beside' } }),
  'a body beside it of less than nothing': (data) => ({ ...data, body: { encoding: 'beside', bytes: -1 } }),
  'a deadline that is a text': (data) => ({ ...data, deadline: 'tomorrow' }),
  'no deadline': (data) => ({ ...data, deadline: Infinity }),
  'a key that is null': (data) => ({ ...data, scriptKey: null }),
  'an empty method': (data) => ({ ...data, method: '' }),
};

const FOREIGN_ROWS: Readonly<Record<string, [part: string, change: Change]>> = {
  'another job’s id': ['id', (data) => ({ ...data, id: 'another' })],
  'a hostname that climbs': ['hostname', (data) => ({ ...data, hostname: '..', scriptKey: '../index.js' })],
  'a hostname that is none': [
    'hostname',
    (data) => ({ ...data, hostname: 'a/b', scriptKey: 'a/b/index.js' }),
  ],
  'a hostname in capitals': [
    'hostname',
    (data) => ({ ...data, hostname: 'A.example', scriptKey: 'A.example/index.js' }),
  ],
  'another tenant’s script': ['scriptKey', (data) => ({ ...data, scriptKey: 'victim.example/index.js' })],
  'a script that climbs': [
    'scriptKey',
    (data) => ({ ...data, scriptKey: `${data.hostname}/../victim.example/index.js` }),
  ],
  'a script that climbs in disguise': [
    'scriptKey',
    (data) => ({ ...data, scriptKey: `${data.hostname}/%2e%2e/victim.example/index.js` }),
  ],
  'a script of a hostname that begins alike': [
    'scriptKey',
    (data) => ({ ...data, scriptKey: `${data.hostname}.evil/index.js` }),
  ],
  'an object beside the scripts': ['scriptKey', (data) => ({ ...data, scriptKey: 'secrets.json' })],
  'another tenant’s blueprint': [
    'blueprintKey',
    (data) => ({ ...data, blueprintKey: 'victim.example/blueprint.json' }),
  ],
  'a blueprint from anywhere': [
    'blueprintKey',
    (data) => ({ ...data, blueprintKey: 'http://169.254.169.254/latest/meta-data' }),
  ],
  'a deadline in a year': ['deadline', (data) => ({ ...data, deadline: Date.now() + 365 * 86_400_000 })],
  'a deadline beyond all timers': ['deadline', (data) => ({ ...data, deadline: 1e300 })],
  'a reply to the queue itself': [
    'replyTo',
    (data, { prefix }) => ({ ...data, replyTo: `${prefix}:invocations:wait` }),
  ],
  'a reply to another deployment': ['replyTo', (data) => ({ ...data, replyTo: 'other:replies:a' })],
  'a reply that climbs': ['replyTo', (data, { prefix }) => ({ ...data, replyTo: `${prefix}:replies:../a` })],
  'a reply to any key': ['replyTo', (data) => ({ ...data, replyTo: 'a' })],
  'a record that is the queue': [
    'idempotencyRecord',
    (data, { prefix }) => ({ ...data, method: 'POST', idempotencyRecord: `${prefix}:invocations:meta` }),
  ],
  'a record of another deployment': [
    'idempotencyRecord',
    (data) => ({ ...data, idempotencyRecord: 'other:idempotency:a' }),
  ],
};

const beside = (data: InvocationData): unknown => ({ ...data, body: { encoding: 'beside', bytes: 10 } });
/** It goes with the job (shared/job-body.ts). */
const bodyKey = (prefix: string, { id }: InvocationData): string => `${prefix}:${QUEUE_NAME}:${id}:logs`;

const RUN_ROWS: Readonly<Record<string, [outcome: string | RegExp, change: Change]>> = {
  'a deadline that has passed': ['deadline_exceeded', (data) => ({ ...data, deadline: 1 })],
  'a deadline below zero': ['deadline_exceeded', (data) => ({ ...data, deadline: -1e300 })],
  'headers that break lines': [
    'answered',
    (data) => ({
      ...data,
      headers: [
        ['a\r\nb', 'c\r\nd'],
        ['__proto__', 'x'],
      ],
    }),
  ],
  'a method that is none': ['answered', (data) => ({ ...data, method: 'A B\r\n' })],
  'a body that is no base64': [
    'answered',
    (data) => ({ ...data, body: { encoding: 'base64', data: '***' } }),
  ],
  'a body beside it that is said to be large': [
    'request_too_large',
    (data) => ({ ...data, body: { encoding: 'beside', bytes: 5e6 } }),
  ],
  'a body beside it that is not there': [/^queue_unavailable: .* there is none$/, beside],
  'a body beside it that is longer than it says': [
    /^queue_unavailable: .* there is one of 20 bytes$/,
    async (data, { system, prefix }) => {
      await system.redis.rpush(bodyKey(prefix, data), 'x'.repeat(20));
      return beside(data);
    },
  ],
  'a body beside it that is no list': [
    /^internal_error: WRONGTYPE/,
    async (data, { system, prefix }) => {
      await system.redis.set(bodyKey(prefix, data), 'x'.repeat(10));
      return beside(data);
    },
  ],
  'fields that nobody knows': ['answered', (data) => ({ ...data, isAdmin: true, ['__proto__']: { a: 1 } })],
  'a script that is not there': [
    'script_not_found',
    (data) => ({ ...data, scriptKey: `${data.hostname}/none.js` }),
  ],
};

const ACTS: Readonly<Record<string, (room: AttackRoom) => Promise<string>>> = {
  'the same job twice': async (room) => {
    const invocation = genuine(room);
    const data = encodeInvocation(invocation);
    const opts = { ...JOB_OPTIONS, jobId: invocation.id };
    // In one transaction, or the first may have ended before the second comes.
    const [job] = await room.queue.addBulk(Array.from({ length: 2 }, () => ({ name: JOB_NAME, data, opts })));
    await endOf(room, job as Job, invocation.id);
    const replies = (): Promise<number> => room.system.redis.xlen(invocation.replyTo);
    // Its stream has to be made first, so it may come after the job's end.
    await waitFor('its reply', async () => (await replies()) > 0);
    return `${await replies()} reply`;
  },
  'a reply to what is no stream': async (room) => {
    const invocation = genuine(room);
    await room.system.redis.set(invocation.replyTo, 'mine');
    await settle(room, invocation, encodeInvocation(invocation), false);
    const kept = await room.system.redis.getdel(invocation.replyTo);
    return kept === 'mine' ? '1 reply' : `changed to ${kept}`;
  },
  'a record that is no hash': async (room) => {
    const invocation = genuine(room);
    const idempotencyRecord = `${room.prefix}:idempotency:${invocation.id}`;
    await room.system.redis.set(idempotencyRecord, 'mine');
    await settle(room, invocation, encodeInvocation({ ...invocation, idempotencyRecord }), false);
    const kept = await room.system.redis.getdel(idempotencyRecord);
    return kept === 'mine' ? '1 reply' : `changed to ${kept}`;
  },
  'ids in the queue that have no job': async ({ system: { redis }, prefix }) => {
    const ids = ['nobody', 'no:body', '', '0:0'];
    await redis.rpush(`${prefix}:invocations:wait`, ...ids);
    const waiting = (): Promise<string[]> => redis.lrange(`${prefix}:invocations:wait`, 0, -1);
    await waitFor('an empty queue', async () => !(await waiting()).includes('nobody'));
    // Of the same id twice BullMQ ends one, and the other when it looks for stalled jobs; over and over, many pile up.
    for (const id of ids) await redis.lrem(`${prefix}:invocations:active`, 0, id);
    return '1 reply';
  },
};

export const intruderJobs: Family = {
  name: 'jobs of an intruder',
  cases: [
    ...Object.entries(UNREADABLE_ROWS).map(([name, change]) => row(name, UNREADABLE, change)),
    ...Object.entries(FOREIGN_ROWS).map(([name, [part, change]]) => row(name, foreign(part), change)),
    ...Object.entries(RUN_ROWS).map(([name, [outcome, change]]) => row(name, outcome, change)),
    ...Object.entries(ACTS).map(([name, act]): HostileCase => ({
      name,
      act,
      expected: { status: 200, text: '1 reply' },
    })),
  ],
};

/** A family by itself, for this is the one thing that others notice: SECURITY.md. */
export const oversizedJobs: Family = {
  name: 'jobs of an intruder that are too large',
  cases: [
    row('a body of 5 MB', 'request_too_large', (data) => ({
      ...data,
      body: { encoding: 'utf8', data: 'x'.repeat(5e6) },
    })),
  ],
};
