import { Writable } from 'node:stream';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { logOptions } from '../../shared/log.ts';

function logged(fields: object): string {
  let written = '';
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      written += chunk.toString();
      done();
    },
  });
  pino(logOptions('test', 'info'), stream).info(fields, 'said');
  return written;
}

test('nothing in a record ends its line or commands a terminal, and it is read as it was', () => {
  const text = 'a\u2028b\u2029c\x85d\x9be\x7ff\ng\x1b[2K';
  const line = logged({ text });
  expect(line).toMatch(/^[^\p{Cc}\u2028\u2029]+\n$/u);
  expect(JSON.parse(line)).toMatchObject({ text, msg: 'said', process: 'test' });
});

test('of a command that Redis refused only the name is told', () => {
  const command = { name: 'eval', args: ['hush'] };
  const line = logged({ err: Object.assign(new Error('WRONGTYPE'), { command }) });
  expect(JSON.parse(line)).toMatchObject({ err: { message: 'WRONGTYPE', command: 'eval' } });
  expect(line).not.toContain('hush');
});
