import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { StorageError } from '#src/domain/errors.ts';
import { DEFAULT_RETRY, fullJitter, systemSleep, withRetry } from '#src/services/retry.ts';

const unavailable = new StorageError('STORAGE_UNAVAILABLE');

/** Runs work that fails with `errors` first, and tells what was waited. */
async function run(errors: readonly unknown[], changes: { attempts?: number; random?: () => number } = {}) {
  const waits: number[] = [];
  let calls = 0;
  const policy = { ...DEFAULT_RETRY, attempts: changes.attempts ?? DEFAULT_RETRY.attempts };
  const sleep = async (ms: number) => void waits.push(ms);
  const work = async (attempt: number) => {
    calls += 1;
    expect(attempt).toBe(calls);
    if (calls <= errors.length) throw errors[calls - 1];
    return 'done';
  };
  const [result] = await Promise.allSettled([
    withRetry(work, { policy, sleep, random: changes.random ?? (() => 0.5) }),
  ]);
  return { result, waits, calls };
}

describe('full-jitter backoff', () => {
  test('every wait lies between nothing and the smaller of cap and doubled base', () => {
    const policies = fc.record({
      baseMs: fc.integer({ min: 1, max: 10_000 }),
      capMs: fc.integer({ min: 1, max: 60_000 }),
    });
    const uniform = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
    fc.assert(
      fc.property(policies, fc.integer({ min: 1, max: 2_000 }), uniform, (policy, attempt, random) => {
        const ms = fullJitter(attempt, policy, random);
        expect(ms).toBeGreaterThanOrEqual(0);
        expect(ms).toBeLessThanOrEqual(policy.capMs);
        expect(ms).toBeLessThanOrEqual(policy.baseMs * 2 ** (attempt - 1));
      }),
    );
  });

  test('the whole interval is used, and it doubles up to the cap', () => {
    const policy = { baseMs: 100, capMs: 1_000 };
    expect([1, 2, 3, 4, 5, 6].map((attempt) => fullJitter(attempt, policy, 1))).toEqual([
      100, 200, 400, 800, 1_000, 1_000,
    ]);
    expect(fullJitter(4, policy, 0)).toBe(0);
    expect(fullJitter(4, policy, 0.25)).toBe(200);
  });
});

describe('withRetry', () => {
  test('it tries until it succeeds, waiting between', async () => {
    const { result, waits, calls } = await run([unavailable, unavailable]);
    expect(result).toEqual({ status: 'fulfilled', value: 'done' });
    expect(waits).toEqual([50, 100]);
    expect(calls).toBe(3);
  });

  test('it gives up after its attempts with the last error', async () => {
    const last = new StorageError('BUSY');
    const { result, calls } = await run([unavailable, unavailable, last, unavailable], { attempts: 3 });
    expect(result).toEqual({ status: 'rejected', reason: last });
    expect(calls).toBe(3);
  });

  test.each([new StorageError('NOT_FOUND'), new StorageError('STORAGE_FULL'), new TypeError('a bug')])(
    'it does not repeat after %s',
    async (error) => {
      const { result, calls, waits } = await run([error]);
      expect(result).toEqual({ status: 'rejected', reason: error });
      expect({ calls, waits }).toEqual({ calls: 1, waits: [] });
    },
  );

  test('it waits at least as long as it was told to', async () => {
    const { waits } = await run([
      new StorageError('RATE_LIMITED', undefined, { retryAfter: 7 }),
      unavailable,
    ]);
    expect(waits).toEqual([7_000, 100]);
  });

  test('an abort ends a wait at once', async () => {
    const controller = new AbortController();
    const retried = withRetry(
      async () => {
        queueMicrotask(() => controller.abort());
        throw new StorageError('BUSY', undefined, { retryAfter: 3_600 });
      },
      { policy: DEFAULT_RETRY, random: () => 0, sleep: systemSleep, signal: controller.signal },
    );
    await expect(retried).rejects.toMatchObject({ code: 'ABORTED' });
  });

  test('a sleep that fails for another reason is not hidden', async () => {
    const sleep = async () => {
      throw new Error('no timers left');
    };
    const retried = withRetry(() => Promise.reject(unavailable), {
      policy: DEFAULT_RETRY,
      random: () => 0,
      sleep,
    });
    await expect(retried).rejects.toThrow('no timers left');
  });

  test('the system sleep sleeps', async () => {
    const began = performance.now();
    await systemSleep(5);
    expect(performance.now() - began).toBeGreaterThanOrEqual(4);
  });
});
