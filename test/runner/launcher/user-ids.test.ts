import { expect, test } from 'vitest';
import { UserIds } from '../../../runner/launcher/user-ids.ts';

test('no user id is given twice while it is taken, however many come and go', () => {
  const ids = new UserIds(1000);
  const kept = ids.take();
  for (let i = 0; i < 10_000; i++) {
    const taken = ids.take();
    expect(taken).not.toBe(kept);
    expect(taken - 1000).toBeLessThan(4096);
    ids.giveBack(taken);
  }
});
