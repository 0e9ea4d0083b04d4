import { randomBytes } from 'node:crypto';
import type { Readable } from 'node:stream';
import {
  CopyObjectCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findFile } from '#src/db/files.ts';
import { StorageError } from '#src/domain/errors.ts';
import { fileId } from '#src/domain/ids.ts';
import { objectKey } from '#src/domain/keys.ts';
import { ADMIN, expectNoOrphans, startApp, type TestApp, untilDelivered } from '#test/support/app.ts';
import {
  cephServer,
  createTestBucket,
  localStackServer,
  type S3Server,
  type TestBucket,
  versityServer,
} from '#test/support/s3-server.ts';
import { expectWhole, readyPhoto, scrub } from './scrub-harness.ts';

/** In a process of its own: the SDK finds credentials in the environment. */
const ceph = cephServer();
const VERSIONED = [
  [localStackServer(), 'TEST_AWS_ENDPOINT'],
  [versityServer(), 'TEST_S3_SECOND_ENDPOINT'],
] as const;

/** The service on a bucket, and a second client that changes objects behind its back. */
async function startOn(server: S3Server, versioned: boolean, replica: TestBucket | null = null) {
  const bucket = await createTestBucket(server, { versioned });
  const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, ...settings } = bucket.settings;
  Object.assign(process.env, { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY });
  const env = {
    ...settings,
    ...(replica !== null && { S3_REPLICA_BUCKET: replica.name, S3_REPLICA_REGION: server.region }),
  };
  /** What becomes of asking for earlier versions: a source may not answer, or not know of what it has. */
  const reach: { versions: 'all' | 'none' | 'no answer' } = { versions: 'all' };
  const app = await startApp({
    env,
    backups: (backups) =>
      backups.map((source) => ({
        ...source,
        async *copiesOf(key, signal) {
          if (reach.versions === 'no answer') throw new StorageError('STORAGE_UNAVAILABLE');
          if (reach.versions === 'all') yield* source.copiesOf(key, signal);
        },
      })),
  });
  const at = (key: string) => ({ Bucket: bucket.name, Key: key });
  return {
    app,
    reach,
    async overwrite(key: string, bytes?: Buffer): Promise<void> {
      const found = await bucket.client.send(new HeadObjectCommand(at(key)));
      const { ContentType, CacheControl, Metadata } = found;
      const Body = bytes ?? randomBytes(found.ContentLength ?? 0);
      await bucket.client.send(
        new PutObjectCommand({ ...at(key), Body, ContentType, CacheControl, Metadata }),
      );
    },
    async remove(key: string): Promise<void> {
      await bucket.client.send(new DeleteObjectCommand(at(key)));
    },
    async replicate(): Promise<void> {
      for await (const { key } of app.storage.listFiles(''))
        await bucket.client.send(
          new CopyObjectCommand({ Bucket: replica?.name, Key: key, CopySource: `${bucket.name}/${key}` }),
        );
    },
    async close(): Promise<void> {
      await app.close();
      await bucket.close();
    },
  };
}

type Started = Awaited<ReturnType<typeof startOn>>;

async function countOf(copies: AsyncIterable<Readable> | undefined): Promise<number | undefined> {
  if (copies === undefined) return undefined;
  let count = 0;
  for await (const copy of copies) {
    copy.destroy();
    count += 1;
  }
  return count;
}

const warningsOf = async (app: TestApp, id: string) => (await findFile(app.db, fileId(id)))?.warnings;

if (ceph === null)
  describe('a scrub of a bucket', () => {
    test.skip('TEST_S3_ENDPOINT names no server', () => {});
  });
else {
  describe('a scrub of a bucket without versions', () => {
    let on: Started;
    beforeAll(async () => {
      on = await startOn(ceph, false);
    });
    afterAll(() => on.close());

    test('finds nothing where nothing was done, and reads each object once', async () => {
      await readyPhoto(on.app);
      expect((await scrub(on.app, { deep: false })).run.result).toMatchObject({
        checked: 7,
        read: 7,
        damaged: 0,
      });
      expect((await scrub(on.app, { deep: false })).run.result).toMatchObject({ checked: 7, read: 0 });
      expect((await scrub(on.app, { deep: true })).actions).toEqual([]);
    });

    test.each([false, true])(
      'tells by its ETag what was overwritten with as many bytes (deep: %s)',
      async (deep) => {
        const photo = await readyPhoto(on.app);
        await scrub(on.app, { deep: false });
        await on.overwrite(photo.key('large', 'webp'));
        await on.remove(photo.key('thumbnail'));
        const { about } = await scrub(on.app, { deep });
        expect(about(photo.id).toSorted()).toEqual([
          'damaged large.webp',
          'missing thumbnail.jpg',
          'rebuild large.webp',
          'rebuild thumbnail.jpg',
        ]);
        await untilDelivered(on.app);
        await expectWhole(on.app, photo.id);
        await expectNoOrphans(on.app);
      },
    );

    test('takes an original that is lost out of the bucket, and tells its owner', async () => {
      const photo = await readyPhoto(on.app);
      const key = photo.key('original');
      await on.overwrite(key, randomBytes(2_000_000));
      expect((await scrub(on.app, { deep: false })).about(photo.id)).toEqual([
        'damaged original.jpg',
        'set-aside original.jpg',
      ]);
      await expect(on.app.storage.fileInfo(key)).rejects.toMatchObject({ code: 'NOT_FOUND' });
      expect(await warningsOf(on.app, photo.id)).toEqual(['DAMAGED']);
    });
  });

  describe('a scrub of a bucket with a replica', () => {
    let on: Started;
    let replica: TestBucket;
    beforeAll(async () => {
      replica = await createTestBucket(ceph);
      on = await startOn(ceph, false, replica);
    });
    afterAll(async () => {
      await on.close();
      await replica.close();
    });

    test('has what was lost back from the replica, and deletes leave nothing in it', async () => {
      const photo = await readyPhoto(on.app);
      await on.replicate();
      await on.remove(photo.key('original'));
      await on.overwrite(photo.key('medium', 'webp'));
      const { about } = await scrub(on.app, { deep: true });
      expect(about(photo.id).filter((line) => line.startsWith('restore'))).toEqual([
        'restore original.jpg',
        'restore medium.webp',
      ]);
      await expectWhole(on.app, photo.id);
      await on.app.files.deletePhoto(ADMIN, fileId(photo.id));
      await untilDelivered(on.app);
      for (const { key } of photo.rows)
        await expect(
          replica.client.send(new GetObjectCommand({ Bucket: replica.name, Key: key })),
        ).rejects.toMatchObject({ name: 'NoSuchKey' });
    });
  });
}

// Ceph overwrites what "If-None-Match: *" protects in a bucket with versions, so the service does not start on one.
for (const [server, variable] of VERSIONED)
  describe(`a scrub of a bucket with versions (${variable})`, () => {
    if (server === null) return test.skip(`${variable} names no server`, () => {});
    let on: Started;
    beforeAll(async () => {
      on = await startOn(server, true);
    });
    afterAll(() => on.close());

    test('has what was overwritten or deleted back from an earlier version', async () => {
      const photo = await readyPhoto(on.app);
      await scrub(on.app, { deep: false });
      await on.overwrite(photo.key('original'));
      await on.overwrite(photo.key('original'), randomBytes(1_000_000));
      await on.remove(photo.key('medium'));
      const { actions, about } = await scrub(on.app, { deep: false });
      expect(about(photo.id)).toEqual([
        'missing medium.jpg',
        'damaged original.jpg',
        'restore original.jpg',
        'restore medium.jpg',
      ]);
      expect(
        actions.filter(({ action }) => action === 'restore').map(({ details }) => details['from']),
      ).toEqual(['earlier version', 'earlier version']);
      await expectWhole(on.app, photo.id);
    });

    test('never has a deleted photo back: no version of it is left', async () => {
      const photo = await readyPhoto(on.app);
      await on.overwrite(photo.key('large'));
      await on.app.files.deletePhoto(ADMIN, fileId(photo.id));
      await untilDelivered(on.app);
      const { about } = await scrub(on.app, { deep: true });
      expect(about(photo.id)).toEqual([]);
      for (const { key } of photo.rows)
        expect(await countOf(on.app.store.previous?.(objectKey(key))), key).toBe(0);
    });

    test('has set aside no version: one that could not be reached then is restored later', async () => {
      const photo = await readyPhoto(on.app);
      const key = photo.key('original');
      await scrub(on.app, { deep: false });
      await on.overwrite(key);
      await on.overwrite(key, randomBytes(1_000_000));
      on.reach.versions = 'none';
      expect((await scrub(on.app, { deep: false })).about(photo.id)).toEqual([
        'damaged original.jpg',
        'set-aside original.jpg',
      ]);
      await expect(on.app.storage.fileInfo(key)).rejects.toMatchObject({ code: 'NOT_FOUND' });
      expect(await warningsOf(on.app, photo.id)).toEqual(['DAMAGED']);
      expect(await countOf(on.app.store.previous?.(objectKey(key)))).toBe(3);
      on.reach.versions = 'all';
      expect((await scrub(on.app, { deep: false })).about(photo.id)).toEqual([
        'missing original.jpg',
        'restore original.jpg',
      ]);
      await expectWhole(on.app, photo.id);
      expect(await warningsOf(on.app, photo.id)).toEqual([]);
    });

    test.each([
      ['postpone', 'a source does not answer'],
      ['hold', 'its file is under legal hold'],
    ])('hides what is damaged and destroys no version (%s) while %s', async (action) => {
      const photo = await readyPhoto(on.app);
      const key = photo.key('original');
      await scrub(on.app, { deep: false });
      await on.overwrite(key);
      if (action === 'hold') await on.app.lifecycle.setHold(ADMIN, fileId(photo.id), 'Case 4711');
      on.reach.versions = action === 'hold' ? 'none' : 'no answer';
      const { about } = await scrub(on.app, { deep: false });
      on.reach.versions = 'all';
      expect(about(photo.id)).toEqual(['damaged original.jpg', `${action} original.jpg`]);
      await expect(on.app.storage.fileInfo(key)).rejects.toMatchObject({ code: 'NOT_FOUND' });
      expect(await countOf(on.app.store.previous?.(objectKey(key)))).toBe(2);
      expect((await scrub(on.app, { deep: false })).about(photo.id)).toContain('restore original.jpg');
      await expectWhole(on.app, photo.id);
    });
  });
