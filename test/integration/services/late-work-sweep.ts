import { beforeAll, describe, expect, test } from 'vitest';
import { findFile } from '#src/db/files.ts';
import { announceObjects } from '#src/db/objects.ts';
import { ingest } from '#src/jobs/ingest/ingest.ts';
import { sweep } from '#src/jobs/sweep.ts';
import {
  expectDense,
  expectNoOrphans,
  distinctPhoto,
  newItem,
  newSeller,
  type TestApp,
  untilDelivered,
  untilState,
} from '#test/support/app.ts';
import { context, lateWork } from './late-work-harness.ts';

/** The sweep: a part of the tests of late work, with the service that they have started. */
export function sweeps(service: () => TestApp): void {
  const { received, later, keysOf } = lateWork(service);
  let app: TestApp;
  beforeAll(() => {
    app = service();
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
}
