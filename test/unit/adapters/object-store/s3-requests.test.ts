import { Readable } from 'node:stream';
import { describe, expect, test, vi } from 'vitest';
import { answerBody } from '#src/adapters/object-store/s3/answer-body.ts';
import { createInFlight } from '#src/adapters/object-store/s3/in-flight.ts';
import { partBytes } from '#src/adapters/object-store/s3/multipart.ts';
import { backoffMs } from '#src/adapters/object-store/s3/requests.ts';
import { isStorageError } from '#src/domain/errors.ts';

const MIB = 1024 ** 2;

describe('requests in flight', () => {
  /** How many get a place at once. */
  async function width(places: ReturnType<typeof createInFlight>): Promise<number> {
    const stop = new AbortController();
    let entered = 0;
    const entering = Array.from({ length: 100 }, () =>
      places.enter(stop.signal).then(
        () => (entered += 1),
        () => undefined,
      ),
    );
    await new Promise((resolve) => setImmediate(resolve));
    stop.abort();
    await Promise.all(entering);
    for (let left = entered; left > 0; left -= 1) places.leave(false);
    return entered;
  }

  test('are as many as are allowed, the others wait in turn', async () => {
    const places = createInFlight(2);
    const order: number[] = [];
    await places.enter(undefined);
    await places.enter(undefined);
    const waiting = [1, 2, 3].map((number) => places.enter(undefined).then(() => order.push(number)));
    places.leave(false);
    await waiting[0];
    expect(order).toEqual([1]);
    places.leave(false);
    places.leave(false);
    await Promise.all(waiting);
    expect(order).toEqual([1, 2, 3]);
  });

  test('are halved when the server asks for fewer, once for requests that were sent together', async () => {
    let now = 0;
    const places = createInFlight(64, () => now);
    for (let sent = 0; sent < 64; sent += 1) await places.enter(undefined);
    now = 1_000;
    for (let refused = 0; refused < 64; refused += 1) places.leave(true);
    expect(await width(places)).toBe(32);
    now = 2_000;
    await places.enter(undefined);
    places.leave(true);
    expect(await width(places)).toBe(16);
  });

  test('are one at least, and grow back to what is allowed', async () => {
    let now = 0;
    const places = createInFlight(8, () => now);
    for (let round = 0; round < 20; round += 1) {
      now += 1_000;
      await places.enter(undefined);
      places.leave(true);
    }
    await places.enter(undefined);
    places.leave(false);
    for (let success = 0; success < 60; success += 1) {
      await places.enter(undefined);
      places.leave(false);
    }
    expect(await width(places)).toBe(8);
  });

  test('one who gives up waiting takes no place', async () => {
    const places = createInFlight(1);
    await places.enter(undefined);
    const stop = new AbortController();
    const waiting = places.enter(stop.signal);
    stop.abort(new Error('gone'));
    await expect(waiting).rejects.toMatchObject({ code: 'ABORTED' });
    places.leave(false);
    await places.enter(undefined);
  });
});

test('waits double, are spread over their whole length and have a bound; after SlowDown they begin longer', () => {
  expect([1, 2, 3].map((attempt) => backoffMs(attempt, false, 1))).toEqual([50, 100, 200]);
  expect([1, 2, 3].map((attempt) => backoffMs(attempt, true, 1))).toEqual([500, 1000, 2000]);
  expect(backoffMs(40, true, 1)).toBe(5_000);
  expect(backoffMs(3, false, 0)).toBe(0);
});

test('parts are 8 MiB, and larger only where ten thousand would not do', () => {
  expect(partBytes(undefined)).toBe(8 * MIB);
  expect(partBytes(1)).toBe(8 * MIB);
  expect(partBytes(80_000 * MIB)).toBe(8 * MIB);
  expect(partBytes(1024 ** 4)).toBe(105 * MIB);
  expect(() => partBytes(6 * 1024 ** 4)).toThrow('The file is too large.');
});

describe('the body of an answer', () => {
  async function ending(body: Readable): Promise<string> {
    try {
      for await (const chunk of body) if (chunk instanceof Error) throw chunk;
      return 'whole';
    } catch (error) {
      return isStorageError(error) ? error.code : 'another error';
    }
  }

  test('that gives nothing for long while it is read is STORAGE_UNAVAILABLE, and lets its source go', async () => {
    const source = new Readable({ read() {} });
    source.push('some');
    expect(await ending(answerBody(source, undefined, 30))).toBe('STORAGE_UNAVAILABLE');
    expect(source.destroyed).toBe(true);
  });

  test('may wait for its reader as long as it likes', async () => {
    const source = Readable.from([Buffer.alloc(100_000), Buffer.alloc(100_000)], { objectMode: false });
    const body = answerBody(source, undefined, 30);
    await new Promise((resolve) => body.once('readable', resolve));
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    vi.advanceTimersByTime(3_600_000);
    vi.useRealTimers();
    expect(body.destroyed).toBe(false);
    expect(await ending(body)).toBe('whole');
  });

  test('that is closed before its end is STORAGE_UNAVAILABLE', async () => {
    const source = new Readable({ read() {} });
    const body = answerBody(source, undefined);
    source.push('some');
    source.destroy();
    expect(await ending(body)).toBe('STORAGE_UNAVAILABLE');
  });

  test('is ABORTED by its signal', async () => {
    const stop = new AbortController();
    const body = answerBody(new Readable({ read() {} }), stop.signal);
    const read = ending(body);
    stop.abort();
    expect(await read).toBe('ABORTED');
  });
});
