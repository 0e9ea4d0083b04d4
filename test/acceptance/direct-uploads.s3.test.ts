import {
  CreateMultipartUploadCommand,
  ListMultipartUploadsCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { findFile } from '#src/db/files.ts';
import { StorageError } from '#src/domain/errors.ts';
import { uploadKey } from '#src/domain/keys.ts';
import { sweep } from '#src/jobs/sweep.ts';
import { takeArrival } from '#src/jobs/take-arrival.ts';
import {
  expectDense,
  expectNoOrphans,
  storedKeys,
  until,
  untilDelivered,
  untilState,
} from '#test/support/app.ts';
import { type DirectApp, type ReservedForm, sha256Of, startDirectApp } from '#test/support/direct-app.ts';
import { postForm } from '#test/support/direct-form.ts';
import { eicarBehindJpeg, htmlNamedJpg } from '#test/support/hostile.ts';
import { cephServer } from '#test/support/s3-server.ts';

const server = cephServer();

describe.skipIf(server === null)('a form posted to the bucket (skipped without TEST_S3_ENDPOINT)', () => {
  let on: DirectApp;
  beforeAll(async () => {
    if (server !== null) on = await startDirectApp(server);
  });
  afterAll(async () => on?.close());

  test('goes to the bucket itself, and becomes the photo that was sent', async () => {
    const { id, direct, body } = await on.reserve({});
    expect(direct?.url).toContain(server?.endpoint);
    expect(direct?.url).toContain(on.bucket.name);
    expect((await postForm(direct, body)).status).toBe(204);
    const photo = await on.complete(id);
    expect(photo).toMatchObject({ id, sha256: sha256Of(body) });
    await untilState(on.app, id, 'ready');
    await untilDelivered(on.app);
    expect(await on.temporary(id)).toEqual([]);
    await expectNoOrphans(on.app);
  });

  describe('is refused by the bucket', () => {
    test('with one byte more than was announced', async () => {
      const { direct, body } = await on.reserve();
      expect(await postForm(direct, Buffer.concat([body, Buffer.alloc(1)]))).toEqual({
        status: 400,
        code: 'EntityTooLarge',
      });
    });

    test('without a byte', async () => {
      const { direct } = await on.reserve();
      expect(await postForm(direct, Buffer.alloc(0))).toEqual({ status: 400, code: 'EntityTooSmall' });
    });

    test('with another key, type, policy or signature', async () => {
      const { direct, body } = await on.reserve();
      const other = await on.reserve();
      for (const change of [
        { key: other.direct?.fields['key'] ?? '' },
        { key: 'items/original/a/b.jpg' },
        { 'Content-Type': 'text/html' },
        { 'X-Amz-Signature': '0'.repeat(64) },
        { Policy: other.direct?.fields['Policy'] ?? '' },
        { Policy: null, 'X-Amz-Signature': null },
        { 'Content-Type': null },
      ]) {
        const answer = await postForm(direct, body, change);
        expect([400, 403], JSON.stringify(change)).toContain(answer.status);
      }
      expect(await storedKeys(on.app)).not.toContain('items/original/a/b.jpg');
    });

    test('with more fields than were signed', async () => {
      const { direct, body } = await on.reserve();
      expect((await postForm(direct, body, { 'x-amz-meta-a': 'b', acl: 'public-read' })).status).toBe(403);
    });
  });

  describe('that is not what was announced is refused at completion, gone, and its place free', () => {
    test.each<[string, () => Promise<{ reserved: ReservedForm; sent: Uint8Array }>, string]>([
      [
        'fewer bytes',
        async () => {
          const reserved = await on.reserve();
          return { reserved, sent: reserved.body.subarray(0, 1000) };
        },
        'UPLOAD_MISMATCH',
      ],
      [
        'another hash',
        async () => {
          const reserved = await on.reserve({ sha256: 'a'.repeat(64) });
          return { reserved, sent: reserved.body };
        },
        'UPLOAD_MISMATCH',
      ],
      [
        'another type of photo',
        async () => {
          const reserved = await on.reserve({ type: 'image/png' });
          return { reserved, sent: reserved.body };
        },
        'UPLOAD_MISMATCH',
      ],
      [
        'no photo',
        async () => {
          const html = htmlNamedJpg().bytes;
          return { reserved: await on.reserve({ body: html }), sent: html };
        },
        'UNSUPPORTED_TYPE',
      ],
    ])('%s', async (_what, make, code) => {
      const { reserved, sent } = await make();
      const { id } = reserved;
      const before = (await on.app.files.getItemPhotos(on.who, on.item)).photos.length;
      expect((await postForm(reserved.direct, sent)).status).toBe(204);
      for (const _ of [1, 2]) await expect(on.complete(id)).rejects.toMatchObject({ code });
      const row = await untilState(on.app, id, 'deleted');
      expect(row).toMatchObject({ reason_code: code, position: null, upload_sha256: null });
      expect(await on.temporary(id)).toEqual([]);
      expect((await on.app.files.getItemPhotos(on.who, on.item)).photos).toHaveLength(before - 1);
      await expectDense(on.app, on.item);
      await expectNoOrphans(on.app);
    });

    test('the same, told by an event', async () => {
      const { id, direct, body } = await on.reserve({ sha256: 'b'.repeat(64) });
      await postForm(direct, body);
      await takeArrival(on.app.jobs, uploadKey(id));
      await expect(on.complete(id)).rejects.toMatchObject({ code: 'UPLOAD_MISMATCH' });
      await untilState(on.app, id, 'deleted');
    });

    test('malware', async () => {
      const { bytes } = await eicarBehindJpeg();
      const { id, direct } = await on.reserve({ body: bytes });
      await postForm(direct, bytes);
      await expect(on.complete(id)).rejects.toMatchObject({ code: 'MALWARE_FOUND' });
    });
  });

  test('that was not posted is not complete, and may still be', async () => {
    const { id, direct, body } = await on.reserve();
    await expect(on.complete(id)).rejects.toMatchObject({ code: 'UPLOAD_INCOMPLETE' });
    await postForm(direct, body);
    expect((await on.complete(id)).id).toBe(id);
  });

  test('completion told by the client, by an event and by the sweep at once, and again, is one transition', async () => {
    const { id, direct, body } = await on.reserve();
    await postForm(direct, body);
    const tell = () => [
      on.complete(id),
      on.complete(id),
      takeArrival(on.app.jobs, uploadKey(id)),
      takeArrival(on.app.jobs, uploadKey(id)),
      sweep(on.later(3)),
    ];
    await Promise.all(tell());
    await untilState(on.app, id, 'ready');
    await Promise.all(tell());
    const events = await on.app.db
      .selectFrom('file_events')
      .select('state')
      .where('file_id', '=', id)
      .execute();
    for (const state of ['received', 'ready'] as const)
      expect(events.filter((event) => event.state === state)).toHaveLength(1);
    await untilDelivered(on.app);
    expect(await on.temporary(id)).toEqual([]);
    await expectNoOrphans(on.app);
  });

  test('completed by twenty at once is copied and read once', async () => {
    const { id, direct, body } = await on.reserve();
    await postForm(direct, body);
    const copies = vi.spyOn(on.app.storage, 'copyFile');
    const reads = vi.spyOn(on.app.storage, 'downloadFile');
    const keys = () => reads.mock.calls.map(([key]) => key).filter((key) => key.includes(`${id}/received-`));
    try {
      const photos = await Promise.all(Array.from({ length: 20 }, () => on.complete(id)));
      expect(new Set(photos.map((photo) => photo.id))).toEqual(new Set([id]));
      expect(copies).toHaveBeenCalledTimes(1);
      // Once to check it, once by ingest.
      expect(keys().length).toBeLessThanOrEqual(2);
    } finally {
      copies.mockRestore();
      reads.mockRestore();
    }
  });

  test.each(['copyFile', 'downloadFile'] as const)(
    'whose completion fails at the store (%s) leaves nothing half done, and is completed later',
    async (call) => {
      const { id, direct, body } = await on.reserve();
      await postForm(direct, body);
      const failing = vi.spyOn(on.app.storage, call);
      failing.mockRejectedValueOnce(new StorageError('STORAGE_UNAVAILABLE'));
      await expect(on.complete(id)).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
      failing.mockRestore();
      await untilDelivered(on.app);
      expect(await on.temporary(id)).toEqual([uploadKey(id)]);
      expect((await on.complete(id)).sha256).toBe(sha256Of(body));
      await untilState(on.app, id, 'ready');
    },
  );

  test('that nobody completes is found by the sweep after two minutes, and not before', async () => {
    const { id, direct, body } = await on.reserve();
    await postForm(direct, body);
    await sweep(on.later(1));
    expect((await findFile(on.app.db, id))?.state).toBe('pending');
    await sweep(on.later(3));
    await untilState(on.app, id, 'ready');
  });

  test('a multipart upload that was abandoned is aborted once it is old enough', async () => {
    const Key = `temp/uploads/${crypto.randomUUID()}`;
    const at = { Bucket: on.bucket.name, Key };
    const { UploadId } = await on.bucket.client.send(new CreateMultipartUploadCommand(at));
    await on.bucket.client.send(
      new UploadPartCommand({ ...at, UploadId, PartNumber: 1, Body: Buffer.alloc(5_242_880) }),
    );
    const unfinished = async () =>
      (await on.bucket.client.send(new ListMultipartUploadsCommand({ Bucket: on.bucket.name }))).Uploads
        ?.length ?? 0;
    expect(await on.app.store.sweepIncomplete(86_400_000)).toBe(0);
    expect(await unfinished()).toBe(1);
    await until('the part to be a second old', async () =>
      (await on.app.store.sweepIncomplete(1000)) > 0 ? true : null,
    );
    expect(await unfinished()).toBe(0);
  });
});
