import { expect, test } from 'vitest';
import { createStreamLimits } from '#src/http/stream-limits.ts';

const MAX = { total: 5, perUser: 2, perAddress: 3 };

test('a caller has so many streams and gets a place back for each that ends', () => {
  const limits = createStreamLimits(MAX);
  const release = limits.take({ userId: 'a' });
  limits.take({ userId: 'a' });
  expect(() => limits.take({ userId: 'a' })).toThrow(
    expect.objectContaining({ code: 'RATE_LIMITED', retryAfter: 10 }),
  );
  limits.take({ userId: 'b' });
  release();
  release();
  limits.take({ userId: 'a' });
  expect(() => limits.take({ userId: 'a' })).toThrow(expect.objectContaining({ code: 'RATE_LIMITED' }));
});

test('an address is not a user of the same name', () => {
  const limits = createStreamLimits(MAX);
  for (const caller of [{ userId: 'x' }, { userId: 'x' }, { address: 'x' }, { address: 'x' }])
    limits.take(caller);
  expect(() => limits.take({ userId: 'x' })).toThrow(expect.objectContaining({ code: 'RATE_LIMITED' }));
  limits.take({ address: 'x' });
});

test('past the number of the process everybody is told to come later', () => {
  const limits = createStreamLimits(MAX);
  const releases = ['a', 'b', 'c', 'd', 'e'].map((userId) => limits.take({ userId }));
  expect(() => limits.take({ userId: 'f' })).toThrow(
    expect.objectContaining({ code: 'BUSY', retryAfter: 10 }),
  );
  releases[0]?.();
  limits.take({ userId: 'f' });
});
