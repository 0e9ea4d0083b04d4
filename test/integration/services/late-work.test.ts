import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createStorageService } from '#src/services/storage.service.ts';
import { StorageError } from '#src/domain/errors.ts';
import { findFile, lockFileAndItem } from '#src/db/files.ts';
import { createFileManagementService } from '#src/services/file-management.service.ts';
import { remove } from '#src/services/removal.ts';
import { deliverOutbox } from '#src/jobs/deliver-outbox.ts';
import { ingest } from '#src/jobs/ingest/ingest.ts';
import { sweep } from '#src/jobs/sweep.ts';
import {
  expectDense,
  expectNoOrphans,
  distinctPhoto,
  newItem,
  newSeller,
  startApp,
  type TestApp,
  until,
  untilDelivered,
  untilState,
} from '#test/support/app.ts';
import { type Fault, type FaultyStore, faultyStore } from '#test/support/faulty-store.ts';
import { context, lateWork } from './late-work-harness.ts';
import { sweeps } from './late-work-sweep.ts';

/** No worker: these tests are the queue, which may repeat, delay and lose what it likes. */
let app: TestApp;
beforeAll(async () => {
  app = await startApp({ worker: false });
});
afterAll(() => app.close());

const { received, later, underFaults, keysOf } = lateWork(() => app);
const FULL: Fault = { when: 'before', error: new StorageError('STORAGE_FULL') };

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
    await expect(
      files.uploadItemPhoto(who, item, await distinctPhoto(), { waitMs: 0 }),
    ).rejects.toMatchObject({
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
    const delivery = { ...app.jobs, db, storage: jobs.storage, cdn, queue, backups };
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

sweeps(() => app);
