import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createStorageService } from '#src/services/storage.service.ts';
import { StorageError } from '#src/domain/errors.ts';
import { findFile, lockFileAndItem } from '#src/db/files.ts';
import { createFileManagementService } from '#src/services/file-management.service.ts';
import { remove } from '#src/services/removal.ts';
import { announceObjects } from '#src/db/objects.ts';
import { fileId } from '#src/domain/ids.ts';
import { deliverOutbox } from '#src/jobs/deliver-outbox.ts';
import type { JobDeps } from '#src/jobs/deps.ts';
import { ingest } from '#src/jobs/ingest/ingest.ts';
import { sweep } from '#src/jobs/sweep.ts';
import type { JobContext } from '#src/ports/job-queue.ts';
import {
  expectDense,
  expectNoOrphans,
  distinctPhoto,
  newItem,
  newSeller,
  SELLER,
  startApp,
  storedKeys,
  type TestApp,
  until,
  untilDelivered,
  untilState,
} from '#test/support/app.ts';
import { type Fault, type FaultyStore, faultyStore } from '#test/support/faulty-store.ts';

/** No worker: these tests are the queue, which may repeat, delay and lose what it likes. */
let app: TestApp;
beforeAll(async () => {
  app = await startApp({ worker: false });
});
afterAll(() => app.close());

const ASYNC = { waitMs: 0 };

function context(overrides: Partial<JobContext> = {}): JobContext {
  return {
    id: 'job',
    attempt: 1,
    isLastAttempt: false,
    isExhausted: false,
    signal: new AbortController().signal,
    ...overrides,
  };
}

async function received(who = SELLER) {
  const item = await newItem(app, who);
  const { photo } = await app.files.uploadItemPhoto(who, item, await distinctPhoto(), ASYNC);
  expect(photo.state).toBe('received');
  return { item, id: fileId(photo.id) };
}

/** The same service, `hours` later. */
function later(hours: number, jobs: JobDeps = app.jobs): JobDeps {
  return { ...jobs, clock: { now: () => new Date(Date.now() + hours * 3_600_000) } };
}

/** Deps whose store fails as planned, with retries that do not wait. */
function underFaults(): { jobs: JobDeps; store: FaultyStore } {
  const store = faultyStore(app.store);
  const retry = { attempts: 2, baseMs: 1, capMs: 1 };
  return { jobs: { ...app.jobs, storage: createStorageService({ store, retry }) }, store };
}

const FULL: Fault = { when: 'before', error: new StorageError('STORAGE_FULL') };
const keysOf = async (id: string) => (await storedKeys(app)).filter((key) => key.includes(id));

describe('a job', () => {
  test('delivered five times at once has one result, and nobody sees an error', async () => {
    const { id, item } = await received();
    const payload = { fileId: id, generation: 1 };
    const results = await Promise.allSettled(
      Array.from({ length: 5 }, (_, index) => ingest(app.jobs, payload, context({ id: `twin-${index}` }))),
    );
    expect(results.filter((result) => result.status === 'rejected')).toEqual([]);
    await untilState(app, id, 'ready');
    await expectNoOrphans(app);
    expect(await keysOf(id)).toHaveLength(7);
    await expectDense(app, item);
  });

  test('of another generation, of a photo that is done or that never was, does nothing', async () => {
    const { id } = await received();
    await ingest(app.jobs, { fileId: id, generation: 2 }, context());
    expect((await findFile(app.db, id))?.state).toBe('received');
    await ingest(app.jobs, { fileId: id, generation: 1 }, context());
    const done = await findFile(app.db, id);
    await ingest(app.jobs, { fileId: id, generation: 1 }, context());
    expect(await findFile(app.db, id)).toEqual(done);
    await ingest(app.jobs, { fileId: '01900000-0000-7000-8000-000000000000', generation: 1 }, context());
  });

  test('whose tries are used up ends its photo without touching it', async () => {
    const { id } = await received();
    await ingest(app.jobs, { fileId: id, generation: 1 }, context({ isExhausted: true }));
    expect(await findFile(app.db, id)).toMatchObject({
      state: 'failed',
      reason_code: 'PROCESSING_FAILED',
      position: null,
    });
    await expectNoOrphans(app);
    expect(await keysOf(id)).toEqual([]);
  });

  test.each([0, 1, 2, 3, 4, 5, 6])('cut off at its write number %i goes on where it was', async (writes) => {
    const { id } = await received();
    const { jobs, store } = underFaults();
    const stop = new AbortController();
    // The process is told to stop while that object is being written.
    const put = store.put.bind(store);
    let count = 0;
    const cutting: FaultyStore = {
      ...store,
      put: async (key, body, options) => {
        if (count === writes) stop.abort(new Error('the service stops'));
        count += 1;
        return put(key, body, options);
      },
    };
    const storage = createStorageService({ store: cutting, retry: { attempts: 1, baseMs: 1, capMs: 1 } });
    const cut = ingest({ ...jobs, storage }, { fileId: id, generation: 1 }, context({ signal: stop.signal }));
    await expect(cut).rejects.toBeInstanceOf(Error);
    await ingest(app.jobs, { fileId: id, generation: 1 }, context({ attempt: 2 }));
    await untilState(app, id, 'ready');
    // What the first run had announced under other keys is removed in time.
    await sweep(later(1));
    await expectNoOrphans(app);
    expect(await keysOf(id)).toHaveLength(7);
  });

  test('writes no key twice with different bytes, wherever it is cut off', async () => {
    const { id } = await received();
    const contents = new Map<string, Set<string>>();
    const stop = new AbortController();
    const recording: FaultyStore = {
      ...faultyStore(app.store),
      put: async (key, body, options) => {
        const info = await app.store.put(key, body, options);
        contents.set(key, (contents.get(key) ?? new Set()).add(info.etag));
        if (contents.size === 3) stop.abort(new Error('the service stops'));
        return info;
      },
    };
    const jobs = { ...app.jobs, storage: createStorageService({ store: recording }) };
    const payload = { fileId: id, generation: 1 };
    await expect(ingest(jobs, payload, context({ signal: stop.signal }))).rejects.toBeInstanceOf(Error);
    await ingest(jobs, payload, context({ attempt: 2 }));
    await untilState(app, id, 'ready');
    expect([...contents].filter(([, etags]) => etags.size > 1)).toEqual([]);
  });
});

describe('a full store', () => {
  test('while bytes come in: STORAGE_FULL, nothing left', async () => {
    const { jobs, store } = underFaults();
    store.plan('put', FULL);
    const files = createFileManagementService(jobs);
    const who = newSeller();
    const item = await newItem(app, who);
    await expect(files.uploadItemPhoto(who, item, await distinctPhoto(), ASYNC)).rejects.toMatchObject({
      code: 'STORAGE_FULL',
    });
    const [row] = await app.db.selectFrom('files').selectAll().where('owner_id', '=', who.userId).execute();
    expect(row).toMatchObject({ position: null, reason_code: 'STORAGE_FULL' });
    await expectNoOrphans(app);
    await untilState(app, row?.id ?? '', 'deleted');
  });

  test('while renditions are written: the photo fails and says so, nothing of it stays public', async () => {
    const { id } = await received();
    const { jobs, store } = underFaults();
    store.plan('put', null, null, FULL);
    await ingest(jobs, { fileId: id, generation: 1 }, context());
    expect(await findFile(app.db, id)).toMatchObject({ state: 'failed', reason_code: 'STORAGE_FULL' });
    await expectNoOrphans(app);
    expect(await keysOf(id)).toEqual([]);
  });
});

describe('a store that is down', () => {
  test('for a while: the job is tried again and ends well', async () => {
    const { id } = await received();
    const { jobs, store } = underFaults();
    const down: Fault = { when: 'before', error: new StorageError('STORAGE_UNAVAILABLE') };
    store.plan('get', down, down);
    const payload = { fileId: id, generation: 1 };
    await expect(ingest(jobs, payload, context())).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
    await ingest(jobs, payload, context({ attempt: 2 }));
    await untilState(app, id, 'ready');
  });

  test('when objects are deleted: the delivery is repeated until they are gone', async () => {
    const { id } = await received();
    await untilDelivered(app);
    const { jobs, store } = underFaults();
    const down: Fault = { when: 'before', error: new StorageError('STORAGE_UNAVAILABLE') };
    store.plan('delete', down, down);
    const { db, cdn, queue, backups } = app;
    const delivery = { db, storage: jobs.storage, cdn, log: app.jobs.log, queue, backups };
    await app.db.transaction().execute(async (trx) => {
      const file = await lockFileAndItem(trx, id);
      if (file !== null) await remove(trx, file);
      // Due in an hour: the service itself does not deliver it meanwhile.
      await sql`update outbox set available_at = now() + interval '1 hour' where file_id = ${id}`.execute(
        trx,
      );
    });
    const due = () =>
      sql`update outbox set available_at = now() where file_id = ${id} and delivered_at is null`.execute(
        app.db,
      );
    // The first two tries of the store meet the fault; whoever delivers, it is done in the end.
    await due();
    await deliverOutbox(delivery, id);
    await until('the deletion', async () => {
      await due();
      await deliverOutbox(delivery, id);
      return (await findFile(app.db, id))?.state === 'deleted' ? true : null;
    });
    expect(await keysOf(id)).toEqual([]);
  });
});

describe('the sweep', () => {
  test('delivers lost jobs again', async () => {
    const { id } = await received();
    await untilDelivered(app);
    await sweep(later(0.1));
    const asked = await app.db
      .selectFrom('outbox')
      .select(['topic', 'payload'])
      .where('file_id', '=', id)
      .where('topic', '=', 'ingest')
      .execute();
    expect(asked.map((row) => row.payload)).toEqual([
      { fileId: id, generation: 1 },
      { fileId: id, generation: 1 },
    ]);
  });

  test('completes what has arrived and discards what has not come in time', async () => {
    const who = newSeller();
    const item = await newItem(app, who);
    const { body } = await distinctPhoto();
    const reserve = () =>
      app.files.reserveUpload(who, {
        kind: 'item_photo',
        itemId: item,
        filename: 'x.jpg',
        type: 'image/jpeg',
        bytes: body.length,
      });
    const arrived = await reserve();
    const missing = await reserve();
    await app.files.receiveUpload(arrived.id, body);
    await sweep(later(0.1));
    expect((await findFile(app.db, arrived.id))?.state).toBe('received');
    expect((await findFile(app.db, missing.id))?.state).toBe('pending');
    await sweep(later(25));
    expect(await findFile(app.db, missing.id)).toMatchObject({
      reason_code: 'UPLOAD_EXPIRED',
      position: null,
    });
    await expectDense(app, item);
    await untilDelivered(app);
    await sweep(later(26));
    await untilState(app, missing.id, 'deleted');
    await expectNoOrphans(app);
  });

  test('gives up an upload in one request whose process died, long before a day', async () => {
    const { id } = await received();
    const pending = await app.db
      .selectFrom('file_events')
      .select('state')
      .where('file_id', '=', id)
      .orderBy('id')
      .executeTakeFirst();
    expect(pending?.state).toBe('pending');
    expect(app.jobs.limits.receiveSeconds).toBeLessThan(600);
  });

  test('ends what took too long, with a reason', async () => {
    const { id } = await received();
    await sweep(later(9));
    expect(await findFile(app.db, id)).toMatchObject({
      state: 'failed',
      reason_code: 'DEADLINE_EXCEEDED',
      position: null,
    });
    await expectNoOrphans(app);
    expect(await keysOf(id)).toEqual([]);
  });

  test('moves what is checked for long out of temporary storage, and the check goes on from there', async () => {
    const { id } = await received();
    await sweep(later(6.5));
    await untilDelivered(app);
    expect(await keysOf(id)).toEqual([`quarantine/raw/${id}`]);
    await sweep(later(6.6));
    await ingest(app.jobs, { fileId: id, generation: 1 }, context());
    await untilState(app, id, 'ready');
    await expectNoOrphans(app);
    expect((await keysOf(id)).filter((key) => key.startsWith('quarantine/'))).toEqual([]);
  });

  test('removes what was announced and never stood on, but nothing of a photo at work', async () => {
    const { id } = await received();
    const done = await received();
    await ingest(app.jobs, { fileId: done.id, generation: 1 }, context());
    await untilState(app, done.id, 'ready');
    for (const owner of [id, done.id]) {
      const key = `items/large/left/${owner}-aaaaaaaaaaaa.jpg`;
      await announceObjects(app.db, owner, [key]);
      await app.storage.uploadFile(Buffer.from('left behind'), { key, contentType: 'image/jpeg' });
    }
    await sweep(later(1));
    await untilDelivered(app);
    expect(await keysOf(done.id)).toHaveLength(7);
    expect((await keysOf(id)).filter((key) => key.startsWith('items/'))).toHaveLength(1);
    await sweep(later(9));
    await untilDelivered(app);
    await sweep(later(10));
    await untilDelivered(app);
    expect(await keysOf(id)).toEqual([]);
    await expectNoOrphans(app);
  });

  test('goes on after one file that it cannot mend', async () => {
    const broken = await received();
    const { body } = await distinctPhoto();
    await app.storage.deleteFile(`temp/uploads/${broken.id}`);
    await app.db
      .updateTable('files')
      .set({ received_at: new Date(0) })
      .where('id', '=', broken.id)
      .execute();
    const whole = await received();
    expect(body.length).toBeGreaterThan(0);
    await sweep(later(6.5));
    await untilDelivered(app);
    expect(await keysOf(whole.id)).toEqual([`quarantine/raw/${whole.id}`]);
    expect(app.lines.some((line) => line.message === 'the sweep could not mend a file')).toBe(true);
    await sweep(later(9));
    await untilState(app, broken.id, 'failed');
    await untilDelivered(app);
  });

  test('run ten times at once does each thing once', async () => {
    const ids = await Promise.all([received(), received(), received()]);
    await Promise.all(Array.from({ length: 10 }, () => sweep(later(9))));
    for (const { id, item } of ids) {
      expect((await findFile(app.db, id))?.state).toBe('failed');
      await expectDense(app, item);
    }
    expect(app.lines.filter((line) => line.message === 'a part of the sweep failed')).toEqual([]);
    await expectNoOrphans(app);
  });
});
