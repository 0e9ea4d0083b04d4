import { expect, test } from 'vitest';
import { chooseLanes } from '#src/adapters/object-store/s3/lanes.ts';

function after(...waits: readonly number[]): number {
  const lanes = chooseLanes();
  for (const wait of waits) lanes.passed(wait);
  return lanes.count();
}
const times = (count: number, wait: number): number[] => Array.from({ length: count }, () => wait);

test('an object is read over one connection while that is fast, and through a slow moment', () => {
  expect(after()).toBe(1);
  expect(after(...times(50, 80))).toBe(1);
  expect(after(10, 500, 10, 500, 10)).toBe(1);
});

test('two slow parts in a row make it four', () => {
  expect(after(10, 100, 100)).toBe(4);
});

test('four stay where they are faster, whatever follows', () => {
  expect(after(100, 100, ...times(8, 30), ...times(20, 500))).toBe(4);
});

test('four become one again, for good, where they are hardly faster', () => {
  expect(after(100, 100, ...times(7, 90))).toBe(4);
  expect(after(100, 100, ...times(8, 90))).toBe(1);
  expect(after(100, 100, ...times(8, 90), ...times(20, 500))).toBe(1);
});
