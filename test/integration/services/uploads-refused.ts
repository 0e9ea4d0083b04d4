import { Readable } from 'node:stream';
import { beforeAll, describe, expect, test } from 'vitest';
import { findFile } from '#src/db/files.ts';
import {
  expectDense,
  expectNoOrphans,
  distinctPhoto,
  newItem,
  newSeller,
  SELLER,
  storedKeys,
  type TestApp,
  untilDelivered,
  untilState,
} from '#test/support/app.ts';
import {
  decompressionBomb,
  eicarBehindJpeg,
  emptyFile,
  htmlNamedJpg,
  pdf,
  pngClaimingHugeSize,
  truncatedJpeg,
  zipBehindJpeg,
} from '#test/support/hostile.ts';

const WAIT = { waitMs: 15_000 };
const ASYNC = { waitMs: 0 };

/** What is refused of uploads: a part of their tests, with the service that they have started. */
export function refusedUploads(service: () => TestApp): void {
  let app: TestApp;
  beforeAll(() => {
    app = service();
  });

  describe('what is refused', () => {
    test.each([
      ['an empty file', 'INVALID_IMAGE', emptyFile],
      ['HTML named .jpg', 'UNSUPPORTED_TYPE', htmlNamedJpg],
      ['a PDF', 'UNSUPPORTED_TYPE', pdf],
      ['a truncated JPEG', 'INVALID_IMAGE', truncatedJpeg],
      ['a PNG that claims to be huge', 'TOO_MANY_PIXELS', pngClaimingHugeSize],
      ['a decompression bomb', 'TOO_MANY_PIXELS', () => decompressionBomb()],
      ['malware behind a photo', 'MALWARE_FOUND', eicarBehindJpeg],
      ['an archive behind a photo', 'MALWARE_FOUND', zipBehindJpeg],
    ])('%s: %s, its bytes gone, its place free', async (_name, code, make) => {
      const who = newSeller();
      const item = await newItem(app, who);
      const made = await make();
      const upload = app.files.uploadItemPhoto(
        who,
        item,
        { filename: 'photo.jpg', type: 'image/jpeg', body: made.bytes },
        WAIT,
      );
      await expect(upload).rejects.toMatchObject({ code });
      await untilDelivered(app);
      const [row] = await app.db.selectFrom('files').selectAll().where('owner_id', '=', who.userId).execute();
      expect(row).toMatchObject({ position: null, reason_code: code });
      expect((await storedKeys(app)).filter((key) => key.includes(row?.id ?? 'none'))).toEqual([]);
      await expectNoOrphans(app);
    });

    test('what is merely foreign to a photo is not called malware', async () => {
      const upload = async ({ bytes }: { bytes: Uint8Array }) =>
        app.files.uploadItemPhoto(
          SELLER,
          await newItem(app),
          { filename: 'x.jpg', type: null, body: bytes },
          WAIT,
        );
      await expect(upload(await zipBehindJpeg())).rejects.toThrow(
        'Something that is not part of a photo is hidden in this file.',
      );
      await expect(upload(await eicarBehindJpeg())).rejects.toThrow('Malware was found in this file.');
    });

    test('a profile photo of a listing', async () => {
      const reserved = app.files.reserveUpload(SELLER, {
        kind: 'profile_photo',
        itemId: await newItem(app),
        filename: 'x.jpg',
        type: 'image/jpeg',
        bytes: 10,
      });
      await expect(reserved).rejects.toMatchObject({ code: 'INVALID_REQUEST' });
    });

    test('a stream past the limit is cut off at once', async () => {
      const item = await newItem(app);
      let sent = 0;
      async function* endless() {
        for (;;) {
          sent += 65_536;
          yield Buffer.alloc(65_536);
        }
      }
      await expect(
        app.files.uploadItemPhoto(
          SELLER,
          item,
          { filename: 'x.jpg', type: null, body: Readable.from(endless()) },
          WAIT,
        ),
      ).rejects.toMatchObject({ code: 'FILE_TOO_LARGE' });
      expect(sent).toBeLessThan(14 * 1024 * 1024);
      await expectNoOrphans(app);
      await expectDense(app, item);
    });

    test('a client that goes away leaves no bytes and no place', async () => {
      const item = await newItem(app);
      const controller = new AbortController();
      async function* stalling() {
        yield Buffer.alloc(1000, 1);
        controller.abort();
        await new Promise(() => undefined);
      }
      await expect(
        app.files.uploadItemPhoto(
          SELLER,
          item,
          { filename: 'x.jpg', type: null, body: Readable.from(stalling()) },
          { ...WAIT, signal: controller.signal },
        ),
      ).rejects.toMatchObject({ code: 'ABORTED' });
      const gallery = await app.files.getItemPhotos(SELLER, item);
      expect(gallery.photos).toEqual([]);
      await expectNoOrphans(app);
    });

    test('bytes that are not those reserved are UPLOAD_MISMATCH, and gone', async () => {
      const item = await newItem(app);
      const body = (await distinctPhoto()).body;
      const reserve = (bytes: number, sha256?: string) =>
        app.files.reserveUpload(SELLER, {
          kind: 'item_photo',
          itemId: item,
          filename: 'x.jpg',
          type: 'image/jpeg',
          bytes,
          ...(sha256 !== undefined && { sha256 }),
        });
      for (const { id } of [await reserve(body.length + 1), await reserve(body.length, 'a'.repeat(64))]) {
        await expect(app.files.receiveUpload(id, body)).rejects.toMatchObject({ code: 'UPLOAD_MISMATCH' });
        await untilState(app, id, 'deleted');
        await expect(app.files.completeUpload(SELLER, id, ASYNC)).rejects.toMatchObject({
          code: 'UPLOAD_MISMATCH',
        });
      }
      await expectNoOrphans(app);
    });

    async function reservePhoto(type = 'image/jpeg') {
      const { body } = await distinctPhoto();
      const { id } = await app.files.reserveUpload(SELLER, {
        kind: 'item_photo',
        itemId: await newItem(app),
        filename: 'x.jpg',
        type,
        bytes: body.length,
      });
      return { id, body };
    }

    async function sentAs(type: string) {
      const { id, body } = await reservePhoto(type);
      await app.files.receiveUpload(id, body);
      return { id, completed: app.files.completeUpload(SELLER, id, WAIT) };
    }

    test.each(['image/png', 'application/pdf'])('a JPEG where %s was reserved: removed', async (type) => {
      const { id, completed } = await sentAs(type);
      await expect(completed).rejects.toMatchObject({ code: 'UPLOAD_MISMATCH' });
      await expectNoOrphans(app);
      expect((await storedKeys(app)).filter((key) => key.includes(id))).toEqual([]);
      expect(await findFile(app.db, id)).toMatchObject({ state: 'rejected', position: null });
    });

    test('but not one whose type was unknown, or had another name', async () => {
      for (const type of ['image/jpg', 'application/octet-stream', '']) {
        const { id, completed } = await sentAs(type);
        expect((await completed).status).toBe('created');
        await untilState(app, id, 'ready');
      }
    });

    test('a photo in one request is what its bytes are, whatever the browser calls it', async () => {
      const file = { ...(await distinctPhoto()), type: 'image/png' };
      const { photo } = await app.files.uploadItemPhoto(SELLER, await newItem(app), file, WAIT);
      expect((await untilState(app, photo.id, 'ready')).source_format).toBe('jpeg');
    });

    test('completing before the bytes are here is UPLOAD_INCOMPLETE, and changes nothing', async () => {
      const { id, body } = await reservePhoto();
      await expect(app.files.completeUpload(SELLER, id, ASYNC)).rejects.toMatchObject({
        code: 'UPLOAD_INCOMPLETE',
      });
      await app.files.receiveUpload(id, body);
      expect((await app.files.completeUpload(SELLER, id, WAIT)).photo.state).toMatch(/published|ready/);
    });

    test('bytes that come after their upload was deleted do not stay', async () => {
      const { id, body } = await reservePhoto();
      const gate = Promise.withResolvers<void>();
      async function* slowly() {
        yield body.subarray(0, 100);
        await gate.promise;
        yield body.subarray(100);
      }
      const late = app.files.receiveUpload(id, Readable.from(slowly()));
      late.catch(() => undefined);
      await app.files.deletePhoto(SELLER, id);
      await untilDelivered(app);
      expect((await findFile(app.db, id))?.state).toBe('deleting');
      gate.resolve();
      await expect(late).rejects.toMatchObject({ code: 'CONFLICT' });
      await untilState(app, id, 'deleted');
      await expectNoOrphans(app);
      expect((await storedKeys(app)).filter((key) => key.includes(id))).toEqual([]);
    });
  });
}
