import { describe, expect, test } from 'vitest';
import { isStorageError } from '#src/domain/errors.ts';
import { createUploadLimits } from '#src/http/upload-limits.ts';
import { testRates } from '#test/integration/http/http-service.ts';

const limits = (concurrentUploads: number) =>
  createUploadLimits({ maxFileSize: 1, concurrentUploads, bodyTimeoutMs: 1 }, testRates());
const never = new AbortController().signal;

describe('places for uploads', () => {
  test('are given in turn, once each, and given back once', async () => {
    const uploads = limits(1);
    const order: number[] = [];
    const first = await uploads.slot(never);
    const waiting = [1, 2].map(async (name) => {
      const release = await uploads.slot(never);
      order.push(name);
      return release;
    });
    first();
    first();
    const second = await waiting[0];
    expect(order).toEqual([1]);
    second?.();
    await waiting[1];
    expect(order).toEqual([1, 2]);
  });

  test('are refused with a time to come back when too many wait', async () => {
    const uploads = limits(1);
    await uploads.slot(never);
    const leaving = new AbortController();
    const waiting = Array.from({ length: 8 }, () => uploads.slot(leaving.signal));
    const error = await uploads.slot(never).catch((thrown: unknown) => thrown);
    expect(isStorageError(error, 'BUSY') && error.retryAfter).toBeGreaterThan(0);
    leaving.abort();
    const ends = await Promise.allSettled(waiting);
    expect(ends.map((end) => end.status)).toEqual(Array(8).fill('rejected'));
  });

  test('are not kept for a client that has gone', async () => {
    const uploads = limits(1);
    const release = await uploads.slot(never);
    const gone = new AbortController();
    const waiting = uploads.slot(gone.signal);
    gone.abort();
    await expect(waiting).rejects.toMatchObject({ code: 'ABORTED' });
    release();
    await expect(uploads.slot(never)).resolves.toBeTypeOf('function');
  });
});
