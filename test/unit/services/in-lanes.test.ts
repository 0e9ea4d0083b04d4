import { expect, test } from 'vitest';
import { inLanes } from '#src/services/in-lanes.ts';

test('every item is worked on once, in order, so many at a time', async () => {
  const begun: number[] = [];
  let atWork = 0;
  let most = 0;
  await inLanes([1, 2, 3, 4, 5, 6, 7], 3, async (item) => {
    begun.push(item);
    most = Math.max(most, ++atWork);
    await Promise.resolve();
    atWork -= 1;
  });
  expect(begun).toEqual([1, 2, 3, 4, 5, 6, 7]);
  expect(most).toBe(3);
});

test('a failure is passed on when nothing is at work any more, and nothing begins after it', async () => {
  const { promise: gate, resolve: open } = Promise.withResolvers<void>();
  const ended: number[] = [];
  const all = inLanes([1, 2, 3, 4], 2, async (item) => {
    if (item === 1) throw new Error('the first failed');
    await gate;
    ended.push(item);
  });
  let isOver = false;
  const watched = all.finally(() => (isOver = true));
  watched.catch(() => undefined);
  await Promise.resolve();
  expect(isOver).toBe(false);
  open();
  await expect(watched).rejects.toThrow('the first failed');
  expect(ended).toEqual([2]);
});
