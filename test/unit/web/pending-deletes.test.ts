import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { PendingDeletes, UNDO_MS } from '../../../web/src/upload/pending-deletes.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test('a photo is hidden at once and deleted when the time to undo is over', async () => {
  const deletes = new PendingDeletes();
  const run = vi.fn(async () => {});
  deletes.schedule('a', run);
  expect(deletes.snapshot()).toEqual(new Set(['a']));
  await vi.advanceTimersByTimeAsync(UNDO_MS - 1);
  expect(run).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(1);
  expect(run).toHaveBeenCalledOnce();
  expect(deletes.snapshot()).toEqual(new Set(['a']));
});

test('undo shows it again and nothing is deleted; after the deletion it is too late', async () => {
  const deletes = new PendingDeletes();
  const run = vi.fn(async () => {});
  deletes.schedule('a', run);
  expect(deletes.undo('a')).toBe(true);
  await vi.advanceTimersByTimeAsync(UNDO_MS * 2);
  expect(run).not.toHaveBeenCalled();
  expect(deletes.snapshot().size).toBe(0);
  expect(deletes.undo('a')).toBe(false);
});

test('leaving the page does every waiting deletion, once', async () => {
  const deletes = new PendingDeletes();
  const run = vi.fn(async () => {});
  deletes.schedule('a', run);
  deletes.schedule('b', run);
  deletes.flush();
  await vi.advanceTimersByTimeAsync(UNDO_MS * 2);
  expect(run).toHaveBeenCalledTimes(2);
});

test('a deletion that fails shows the photo again', async () => {
  const deletes = new PendingDeletes();
  deletes.schedule('a', async () => {
    throw new Error('The service is away.');
  });
  await vi.advanceTimersByTimeAsync(UNDO_MS);
  expect(deletes.snapshot().size).toBe(0);
});
