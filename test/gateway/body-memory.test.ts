import { expect, test } from 'vitest';
import { BodyMemory } from '../../gateway/body-memory.ts';

function holds(memory: BodyMemory, gone: string[]) {
  return (name: string) => memory.hold(() => gone.push(name));
}

test('who came first gives way to who comes last', () => {
  const memory = new BodyMemory(100);
  const gone: string[] = [];
  const hold = holds(memory, gone);
  const [a, b, c] = [hold('a'), hold('b'), hold('c')];
  expect([a.take(40), b.take(40), c.take(20)]).toEqual([true, true, true]);
  expect(c.take(50)).toBe(true);
  expect(gone).toEqual(['a', 'b']);
  expect(memory.used).toBe(70);
  for (const each of [a, b, c]) each.release();
  c.release();
  expect(memory.used).toBe(0);
});

test('who came first does not drive out the others', () => {
  const memory = new BodyMemory(100);
  const gone: string[] = [];
  const hold = holds(memory, gone);
  const [a, b] = [hold('a'), hold('b')];
  expect([a.take(60), b.take(40)]).toEqual([true, true]);
  expect(a.take(1)).toBe(false);
  expect(gone).toEqual([]);
});

test('what is complete stays', () => {
  const memory = new BodyMemory(100);
  const gone: string[] = [];
  const hold = holds(memory, gone);
  const [a, b] = [hold('a'), hold('b')];
  expect(a.take(90)).toBe(true);
  a.settle();
  expect(b.take(20)).toBe(false);
  a.release();
  expect(b.take(20)).toBe(true);
  expect([gone, memory.used]).toEqual([[], 20]);
});
