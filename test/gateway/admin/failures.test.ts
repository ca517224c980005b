import { expect, test } from 'vitest';
import { Failures } from '../../../gateway/admin/failures.ts';

test('the tenth wrong token is the last one for a while', () => {
  const failures = new Failures();
  for (let i = 0; i < 10; i++) {
    expect(failures.wait('192.0.2.1')).toBe(0);
    failures.note('192.0.2.1');
  }
  expect(failures.wait('192.0.2.1')).toBeGreaterThan(0);
  expect(failures.wait('192.0.2.2')).toBe(0);
});

test('whoever owns an IPv6 network is one client', () => {
  const failures = new Failures();
  for (let i = 0; i < 10; i++) failures.note(`2001:db8::${i}`);
  expect(failures.wait('2001:db8::ffff')).toBeGreaterThan(0);
  expect(failures.wait('2001:db8:0:1::1')).toBe(0);
});
