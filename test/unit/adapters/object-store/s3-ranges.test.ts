import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { type Range, rangesInOrder } from '#src/adapters/object-store/s3/ranges.ts';
import { StorageError } from '#src/domain/errors.ts';
import { closed, outcome } from '#test/contracts/object-store/support.ts';

const MIB = 1024 ** 2;
const OBJECT = randomBytes(41 * MIB + 3);
const whole = { start: 0, end: OBJECT.length - 1, signal: undefined };

/** A body of the object from there on, in chunks of 64 KiB, each after so many milliseconds. */
function bodyFrom(
  start: number,
  end = OBJECT.length - 1,
  ms = 0,
  breakAt = Number.POSITIVE_INFINITY,
): Readable {
  async function* chunks(): AsyncGenerator<Buffer> {
    for (let at = start; at <= end; at += 65_536) {
      if (at >= breakAt) throw new Error('cut');
      if (ms > 0) await wait(ms);
      yield OBJECT.subarray(at, Math.min(at + 65_536, end + 1));
    }
  }
  return Readable.from(chunks(), { objectMode: false });
}

/** Slow enough that a part takes 250 ms or more. */
const slow = () => bodyFrom(0, OBJECT.length - 1, 2);

describe('a large object', () => {
  test('comes over the connection that has begun while that is fast', async () => {
    const opened: Range[] = [];
    const open = async (range: Range) => {
      opened.push(range);
      return bodyFrom(range.start, range.end);
    };
    const noTimePasses = () => 0;
    const body = rangesInOrder(bodyFrom(0), whole, open, noTimePasses);
    expect((await buffer(body)).equals(OBJECT)).toBe(true);
    expect(opened).toEqual([]);
  });

  test('comes in parts side by side once it is slow, in order, never more than four parts ahead of its reader', async () => {
    const opened: Range[] = [];
    let received = 0;
    let ahead = 0;
    const begun = slow();
    const open = async (range: Range) => {
      opened.push(range);
      ahead = Math.max(ahead, range.end + 1 - received);
      return bodyFrom(range.start, range.end, 1);
    };
    const body = rangesInOrder(begun, whole, open);
    body.on('data', (chunk: Buffer) => (received += chunk.length));
    expect((await buffer(body)).equals(OBJECT)).toBe(true);
    expect(opened.length).toBeGreaterThanOrEqual(3);
    expect(ahead).toBeGreaterThan(24 * MIB);
    expect(ahead).toBeLessThanOrEqual(33 * MIB);
    for (const { start, end } of opened) expect(end - start).toBeLessThan(8 * MIB);
    await closed(begun);
  });

  test('waits for a reader that stands still, with one connection and 8 MiB', async () => {
    let opened = 0;
    const begun = bodyFrom(0);
    let given = 0;
    const counted = begun.map((chunk: Buffer) => {
      given += chunk.length;
      return chunk;
    });
    const body = rangesInOrder(counted, whole, () => {
      opened += 1;
      return Promise.reject(new StorageError('INTERNAL'));
    });
    body.read(1);
    await expect.poll(() => counted.isPaused(), { timeout: 10_000 }).toBe(true);
    expect(given).toBeLessThan(10 * MIB);
    expect(opened).toBe(0);
    await closed(body.destroy());
  });

  test('is whole although connections break in every part', async () => {
    let breaks = 0;
    const open = async ({ start, end }: Range) => {
      breaks += 1;
      return bodyFrom(start, end, 0, start + 3 * MIB);
    };
    const begun = bodyFrom(0, OBJECT.length - 1, 2, 3 * MIB);
    expect((await buffer(rangesInOrder(begun, whole, open))).equals(OBJECT)).toBe(true);
    expect(breaks).toBeGreaterThan(3);
  });

  test('fails with what its parts fail with, and never ends early', async () => {
    for (const code of ['VERSION_CONFLICT', 'OBJECT_ARCHIVED', 'STORAGE_UNAVAILABLE'] as const) {
      const open = () => Promise.reject(new StorageError(code));
      const begun = bodyFrom(0, OBJECT.length - 1, 0, 10 * MIB);
      expect(await outcome(buffer(rangesInOrder(begun, whole, open)))).toBe(code);
    }
  });

  test('ends with ABORTED by its signal, and lets all connections go', async () => {
    const stop = new AbortController();
    const bodies = [slow()];
    const open = async ({ start, end }: Range) => {
      const body = bodyFrom(start, end, 1);
      bodies.push(body);
      if (bodies.length === 4) stop.abort();
      return body;
    };
    const body = rangesInOrder(bodies[0] ?? slow(), { ...whole, signal: stop.signal }, open);
    expect(await outcome(buffer(body))).toBe('ABORTED');
    for (const each of bodies) await closed(each);
  });

  test('is let go when its reader goes', async () => {
    const begun = slow();
    const body = rangesInOrder(begun, whole, () => Promise.reject(new StorageError('INTERNAL')));
    await new Promise((resolve) => body.once('readable', resolve));
    body.destroy();
    await closed(begun);
    expect(body.readableEnded).toBe(false);
  });
});
