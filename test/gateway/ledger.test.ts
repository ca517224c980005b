import { pino } from 'pino';
import { expect, test } from 'vitest';
import { Ledger } from '../../gateway/ledger.ts';
import { ERROR_CODES } from '../../shared/errors.ts';

const create = (): { ledger: Ledger; said: string[] } => {
  const said: string[] = [];
  return { ledger: new Ledger(pino({ level: 'error' }, { write: (line) => void said.push(line) })), said };
};

test('every ending has one state and its code', () => {
  const { ledger } = create();
  for (const ending of [...ERROR_CODES, 'ok', 'client_gone'] as const) ledger.accept('id')(ending);
  const states = new Map(ledger.endings().map(({ state, code }) => [code, state]));
  expect(states.get('ok')).toBe('answered');
  expect(states.get('client_gone')).toBe('abandoned');
  expect(states.get('deadline_exceeded')).toBe('expired');
  const failed = ERROR_CODES.filter((code) => code !== 'deadline_exceeded');
  expect(new Set(failed.map((code) => states.get(code)))).toEqual(new Set(['failed']));
});

test('a second ending changes nothing, and is counted and logged with the request', () => {
  const { ledger, said } = create();
  const end = ledger.accept('the-id');
  end('ok');
  end('script_error');
  expect(ledger.endings()).toEqual([{ state: 'answered', code: 'ok', count: 1 }]);
  expect([ledger.accepted, ledger.inFlight, ledger.secondEndings]).toEqual([1, 0, 1]);
  expect(JSON.parse(said.join())).toMatchObject({ requestId: 'the-id', ending: 'script_error' });
});

test('accepted is the sum of the endings and what is in flight, at every moment', () => {
  const { ledger } = create();
  const open: ReturnType<Ledger['accept']>[] = [];
  for (let i = 0; i < 1000; i++) {
    open.push(ledger.accept(String(i)));
    if (i % 3 !== 0) open.splice(i % open.length, 1)[0]?.(i % 2 ? 'ok' : 'runner_lost');
    const sum = ledger.endings().reduce((total, { count }) => total + count, 0);
    expect(ledger.accepted).toBe(sum + ledger.inFlight);
    expect(ledger.inFlight).toBe(open.length);
  }
});
