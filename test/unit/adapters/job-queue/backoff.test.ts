import fc from 'fast-check';
import { expect, test } from 'vitest';
import { backoffDelay } from '#src/adapters/job-queue/backoff.ts';
import { StorageError } from '#src/domain/errors.ts';

const limits = { baseMs: 100, maxMs: 1_000 };

test('the upper bound doubles with each failure up to the maximum', () => {
  const highest = [1, 2, 3, 4, 5, 50].map((failures) => backoffDelay(failures, undefined, limits, () => 1));
  expect(highest).toEqual([100, 200, 400, 800, 1_000, 1_000]);
});

test('the jitter is full: any pause from none to the bound may come', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 60 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (failures, random) => {
        const bound = Math.min(1_000, 100 * 2 ** (failures - 1));
        expect(backoffDelay(failures, undefined, limits, () => random)).toBe(Math.round(random * bound));
      },
    ),
  );
});

test('an error that says when to come back is not asked sooner, within the maximum', () => {
  const busy = (retryAfter: number) => new StorageError('BUSY', undefined, { retryAfter });
  expect(backoffDelay(1, busy(0.5), limits, () => 0)).toBe(500);
  expect(backoffDelay(1, busy(60), limits, () => 0)).toBe(1_000);
});
