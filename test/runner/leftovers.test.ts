import { expect, test } from 'vitest';
import { Leftovers } from '../../runner/leftovers.ts';

const START = 60;

/** Of a sandbox whose memory is what the test says, and whose looks are counted. */
function startRig(limits = { resident: 200, heap: 64 }) {
  const rig = { resident: START, looks: 0, leftovers: undefined as unknown as Leftovers };
  rig.leftovers = new Leftovers(() => {
    rig.looks++;
    return rig.resident;
  }, limits);
  rig.looks = 0;
  return rig;
}

test.each([
  ['a whole heap', { resident: 200, heap: 64 }, 136],
  ['half of what there is to spare, where a heap takes more', { resident: 200, heap: 150 }, 130],
  ['half of what there is to spare, where a heap takes more than there is', { resident: 100, heap: 150 }, 80],
])('there must be room for %s', (_name, limits, most) => {
  const rig = startRig(limits);
  rig.leftovers.ran(10);
  rig.resident = most;
  expect(rig.leftovers.leaveRoom()).toBe(true);
  rig.leftovers.ran(10);
  rig.resident = most + 1;
  expect(rig.leftovers.leaveRoom()).toBe(false);
});

test('memory is looked at after a long run, and after many that are brief', () => {
  const rig = startRig();
  for (let i = 0; i < 15; i++) {
    rig.leftovers.ran(1);
    expect(rig.leftovers.leaveRoom()).toBe(true);
  }
  expect(rig.looks).toBe(0);
  rig.leftovers.ran(1);
  expect(rig.leftovers.leaveRoom()).toBe(true);
  expect(rig.looks).toBe(1);
  rig.leftovers.ran(4);
  expect(rig.leftovers.leaveRoom()).toBe(true);
  expect(rig.looks).toBe(2);
});

test('a sandbox has time to give back what it can', async () => {
  const rig = startRig();
  rig.leftovers.ran(10);
  rig.resident = 190;
  expect(rig.leftovers.leaveRoom()).toBe(false);
  const soon = rig.leftovers.leaveRoomSoon();
  rig.resident = START;
  expect(await soon).toBe(true);
});

test('what is not given back is found out, and looked at again after the next run', async () => {
  const rig = startRig();
  rig.leftovers.ran(10);
  rig.resident = 190;
  expect(await rig.leftovers.leaveRoomSoon()).toBe(false);
  rig.leftovers.ran(1);
  expect(rig.leftovers.leaveRoom()).toBe(false);
});

test('where memory cannot be read there is room', () => {
  const leftovers = new Leftovers(() => 0, { resident: 200, heap: 64 });
  leftovers.ran(10);
  expect(leftovers.leaveRoom()).toBe(true);
});
