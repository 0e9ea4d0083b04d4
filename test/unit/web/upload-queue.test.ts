import { describe, expect, test, vi } from 'vitest';
import { ApiError } from '../../../web/src/api/api-error.ts';
import type { Photo } from '../../../web/src/api/schemas.ts';
import { RefusedHere } from '../../../web/src/upload/refused-here.ts';
import { createResumeStore } from '../../../web/src/upload/resume-store.ts';
import { type QueueOptions, UploadQueue, type UploadSteps } from '../../../web/src/upload/upload-queue.ts';

describe('the upload queue', () => {
  test('sends at most three at a time, in the order they were chosen', async () => {
    const gates = new Map<string, PromiseWithResolvers<void>>();
    const { queue, sent } = start({
      send: async (_file, url) => {
        const gate = Promise.withResolvers<void>();
        gates.set(url, gate);
        await gate.promise;
      },
    });
    queue.add(files('a', 'b', 'c', 'd', 'e'));
    await vi.waitFor(() => expect([...gates.keys()]).toEqual(['/tus/a', '/tus/b', '/tus/c']));
    gates.get('/tus/b')?.resolve();
    await vi.waitFor(() => expect([...gates.keys()]).toEqual(['/tus/a', '/tus/b', '/tus/c', '/tus/d']));
    expect(sent).toEqual(['b']);
    gates.get('/tus/d')?.resolve();
    await vi.waitFor(() => expect(gates.size).toBe(5));
    for (const gate of gates.values()) gate.resolve();
    await vi.waitFor(() => expect(sent.toSorted()).toEqual(['a', 'b', 'c', 'd', 'e']));
  });

  test('waits as long as the service asks, says so, and goes on with the same reservation', async () => {
    const waits: number[] = [];
    const phases: string[] = [];
    let tries = 0;
    const reserve = vi.fn(reserveByName);
    const { queue, sent } = start({
      reserve,
      send: async () => {
        tries += 1;
        if (tries === 1) throw new ApiError('BUSY', 'Busy.', 503, 7);
        if (tries === 2) throw new ApiError('OFFLINE', 'Gone.');
      },
      pause: async (seconds) => {
        waits.push(seconds);
        phases.push(`${queue.snapshot()[0]?.phase} ${queue.snapshot()[0]?.problem?.code}`);
      },
    });
    queue.add(files('a'));
    await vi.waitFor(() => expect(sent).toEqual(['a']));
    expect(waits).toEqual([7, 2]);
    expect(phases).toEqual(['waiting BUSY', 'waiting OFFLINE']);
    expect(reserve).toHaveBeenCalledOnce();
  });

  test('stops at a refusal, keeps its code, and tries again when told to', async () => {
    let isFull = true;
    const { queue, sent } = start({
      reserve: async (file) => {
        if (isFull) throw new ApiError('QUOTA_EXCEEDED', 'Full.', 429);
        return reserveByName(file);
      },
    });
    queue.add(files('a'));
    await vi.waitFor(() => expect(queue.snapshot()[0]?.phase).toBe('refused'));
    expect(queue.snapshot()[0]?.problem?.code).toBe('QUOTA_EXCEEDED');
    isFull = false;
    queue.retry(queue.snapshot()[0]?.key ?? '');
    await vi.waitFor(() => expect(sent).toEqual(['a']));
  });

  test('a file refused on this device never reaches the service, and does not hold up the next', async () => {
    const reserve = vi.fn(reserveByName);
    const { queue, sent } = start({
      reserve,
      prepare: async (file) => {
        if (file.name === 'bad') throw new RefusedHere('HEIC_TOO_LARGE');
        return { blob: file, name: file.name, notice: 'Made smaller.' };
      },
    });
    queue.add(files('bad', 'good'));
    await vi.waitFor(() => expect(sent).toEqual(['good']));
    expect(queue.snapshot().map(({ phase }) => phase)).toEqual(['refused', 'sent']);
    expect(queue.snapshot()[1]?.notice).toBe('Made smaller.');
    expect(reserve).toHaveBeenCalledOnce();
  });

  test('places are reserved in the order of choosing, even when the first takes longest to prepare', async () => {
    const slow = Promise.withResolvers<void>();
    const reserved: string[] = [];
    const { queue, sent } = start({
      prepare: async (file) => {
        if (file.name === 'a') await slow.promise;
        return { blob: file, name: file.name, notice: null };
      },
      reserve: async (file) => {
        reserved.push(file.name);
        return reserveByName(file);
      },
    });
    queue.add(files('a', 'b', 'c'));
    await vi.waitFor(() =>
      expect(queue.snapshot().map(({ phase }) => phase)).toEqual(Array(3).fill('preparing')),
    );
    slow.resolve();
    await vi.waitFor(() => expect(sent).toHaveLength(3));
    expect(reserved).toEqual(['a', 'b', 'c']);
  });

  test('a file that is dropped twice is sent once', async () => {
    const { queue, sent } = start();
    queue.add(files('a', 'b'));
    queue.add(files('b', 'c'));
    await vi.waitFor(() => expect(sent).toEqual(['a', 'b', 'c']));
  });

  test('removing a file stops it and starts the next', async () => {
    const stopped: string[] = [];
    const { queue, sent } = start(
      {
        send: async (_file, url, _progress, signal) => {
          if (url === '/tus/b') return;
          await new Promise<void>((_resolve, reject) =>
            signal.addEventListener('abort', () => {
              stopped.push(url);
              reject(new Error('stopped'));
            }),
          );
        },
      },
      { parallel: 1 },
    );
    queue.add(files('a', 'b'));
    await vi.waitFor(() => expect(queue.snapshot()[0]?.phase).toBe('sending'));
    queue.remove(queue.snapshot()[0]?.key ?? '');
    await vi.waitFor(() => expect(sent).toEqual(['b']));
    expect(stopped).toEqual(['/tus/a']);
    expect(queue.snapshot()).toHaveLength(1);
  });

  test('the same file chosen after a reload goes on with what was reserved before', async () => {
    const resume = createResumeStore(memory(), 'item-1');
    const stuck = start({ send: () => new Promise(() => {}) }, { resume });
    stuck.queue.add(files('a'));
    await vi.waitFor(() => expect(stuck.queue.snapshot()[0]?.phase).toBe('sending'));

    const reserve = vi.fn(reserveByName);
    const later = start({ reserve }, { resume });
    later.queue.add(files('a'));
    await vi.waitFor(() => expect(later.sent).toEqual(['a']));
    expect(reserve).not.toHaveBeenCalled();
  });

  test('a reservation that has expired meanwhile is replaced by a new one', async () => {
    const storage = memory();
    const resume = createResumeStore(storage, 'item-1');
    resume.set('a|1|5', { id: 'old', url: '/tus/old' });
    const { queue, sent } = start(
      {
        send: async (_file, url) => {
          if (url === '/tus/old') throw new ApiError('NOT_FOUND', 'Gone.', 404);
        },
      },
      { resume },
    );
    queue.add(files('a'));
    await vi.waitFor(() => expect(sent).toEqual(['a']));
    expect(storage.length).toBe(0);
  });
});

function start(steps: Partial<UploadSteps> = {}, options: QueueOptions = {}) {
  const sent: string[] = [];
  const queue = new UploadQueue(
    {
      prepare: async (file) => ({ blob: file, name: file.name, notice: null }),
      reserve: reserveByName,
      send: async () => {},
      complete: async (id) => photo(id),
      pause: async () => {},
      ...steps,
    },
    { ...options, onSent: (_upload, { id }) => sent.push(id) },
  );
  return { queue, sent };
}

async function reserveByName({ name }: { name: string }) {
  return { id: name, url: `/tus/${name}` };
}

function files(...names: string[]): File[] {
  return names.map((name) => new File(['x'], name, { lastModified: 5 }));
}

function memory() {
  const values = new Map<string, string>();
  return {
    getItem: (key: string) => values.get(key) ?? null,
    setItem: (key: string, value: string) => void values.set(key, value),
    removeItem: (key: string) => void values.delete(key),
    get length() {
      return values.size;
    },
  };
}

function photo(id: string): Photo {
  return {
    id,
    kind: 'item_photo',
    itemId: 'item-1',
    ownerId: 'seller',
    state: 'received',
    stage: null,
    archive: 'none',
    position: 0,
    reason: null,
    warnings: [],
    alt: null,
    width: null,
    height: null,
    placeholder: null,
    createdAt: '2026-01-05T09:30:00.000Z',
    variants: {},
    srcset: { jpeg: '', webp: '' },
  };
}
