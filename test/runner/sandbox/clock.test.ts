import { afterAll, describe, expect, test } from 'vitest';
import { createIsolates, makeSnapshot, type PreparedIsolate } from '../../../runner/sandbox/isolate.ts';
import { GRANTABLE } from '../../../shared/engine.ts';

const made: PreparedIsolate[] = [];
afterAll(() => made.forEach((isolate) => isolate.dispose()));

const INPUT = JSON.stringify({
  request: { method: 'GET', url: '/', headers: [] },
  blueprint: { status: 200, headers: [] },
  maxResponse: 10_000,
});

/** Runs an expression in an isolate whose clock has these steps, and everything granted. */
function evaluate(clockMs: number, expression: string, removed: readonly string[] = []): unknown {
  const isolate = createIsolates({ memoryMb: 32, removed, clockMs }, makeSnapshot({ clockMs }))();
  made.push(isolate);
  const nothing = Buffer.alloc(0);
  const bodies = { requestBody: nothing, blueprintBody: nothing };
  const script = `setBody(JSON.stringify(${expression}))`;
  const result = isolate.run({ input: INPUT, script, code: nothing, ...bodies, timeoutMs: 10_000 });
  if (result.kind !== 'answer') throw new Error(JSON.stringify(result));
  return JSON.parse(result.answer.slice(result.answer.indexOf('\n') + 1));
}

/** Every way to ask what time it is, as milliseconds. */
const CLOCKS = {
  'Date.now': 'Date.now()',
  'new Date': 'new Date().getTime()',
  'Date as a function': 'Date.parse(Date())',
  'the constructor behind a date': 'new (new Date(0).constructor)().getTime()',
  'a subclass': 'new (class extends Date {})().getTime()',
  'Reflect.construct': 'Reflect.construct(Date, []).getTime()',
  'Temporal.Now.instant': 'Number(Temporal.Now.instant().epochNanoseconds) / 1e6',
  'Temporal.Now.zonedDateTimeISO': 'Number(Temporal.Now.zonedDateTimeISO("UTC").epochNanoseconds) / 1e6',
  'Temporal.Now.plainDateTimeISO': 'Date.parse(String(Temporal.Now.plainDateTimeISO("UTC")) + "Z")',
  'Temporal.Now.plainTimeISO': 'Temporal.Now.plainTimeISO("UTC").since("00:00").total("milliseconds")',
  'Intl.DateTimeFormat':
    'Number(new Intl.DateTimeFormat("en", { second: "numeric", fractionalSecondDigits: 3 }).format()) * 1000',
  'its parts':
    'Number(new Intl.DateTimeFormat("en", { second: "numeric", fractionalSecondDigits: 3 }).formatToParts().map((p) => p.value).join("")) * 1000',
};
describe.each(Object.entries(CLOCKS))('%s', (_name, clock) => {
  test('stands still when it is to', () => {
    const busy = 'let x = 0; for (let i = 0; i < 3e6; i++) x += i % 7;';
    const [before, after] = evaluate(
      0,
      `(() => { const a = ${clock}; ${busy} return [a, ${clock}] })()`,
    ) as number[];
    expect(after).toBe(before);
    expect(before).not.toBeNaN();
  });

  test('goes in the steps that it is to', () => {
    const times = evaluate(50, `Array.from({ length: 20 }, () => ${clock})`) as number[];
    expect(times.filter((time) => Math.round(time) % 50 !== 0)).toEqual([]);
  });

  test('counts no less than a millisecond', () => {
    const times = evaluate(1, `Array.from({ length: 20 }, () => ${clock})`) as number[];
    expect(times.filter((time) => Math.abs(time - Math.round(time)) > 1e-3)).toEqual([]);
  });
});

test('a coarse Date is a Date in everything else', () => {
  const probe = `[Date.length, Date.name, Date.UTC(2020, 1), new Date(5).getTime(), new Date(2020, 1, 2).getDate(),
    new Date() instanceof Date, typeof Date(), Date.prototype.constructor === Date, Object.keys(Date),
    Object.prototype.toString.call(new Date()), new Intl.DateTimeFormat('en').format(0),
    (f => f.format === f.format)(new Intl.DateTimeFormat('en')), Date.now.name, String(new Date(NaN))]`;
  expect(evaluate(50, probe)).toEqual(evaluate(1, probe));
});

test('what is not granted is not there', () => {
  const probe = `${JSON.stringify(GRANTABLE)}.map((name) => typeof globalThis[name])`;
  expect(evaluate(1, probe, GRANTABLE)).toEqual(GRANTABLE.map(() => 'undefined'));
  expect(evaluate(1, probe)).not.toContain('undefined');
  expect(
    evaluate(1, 'Object.getOwnPropertyNames(globalThis).filter((name) => name.includes("lc500"))'),
  ).toEqual([]);
});
