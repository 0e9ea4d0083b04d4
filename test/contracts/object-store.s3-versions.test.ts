import {
  CopyObjectCommand,
  GetObjectCommand,
  ListObjectVersionsCommand,
  PutBucketVersioningCommand,
} from '@aws-sdk/client-s3';
import { buffer } from 'node:stream/consumers';
import { afterEach, describe, expect, test } from 'vitest';
import type { S3ObjectStore } from '#src/adapters/object-store/s3.ts';
import { objectKey } from '#src/domain/keys.ts';
import {
  cephServer,
  localStackServer,
  type S3Server,
  type TestBucket,
  versityServer,
} from '#test/support/s3-server.ts';
import { openTestStore } from '#test/support/s3-store.ts';
import { outcome, PLAIN } from './object-store/support.ts';

/** What a bucket that keeps versions keeps, and what hiding does to it. */
const localStack = localStackServer();
const SERVERS = [cephServer(), versityServer(), localStack];
const KEY = objectKey('items/original/a.jpg');

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

async function opened(server: S3Server | null, versioned = true) {
  if (server === null) throw new Error('Expected a server');
  const features = server.product === 'LocalStack' ? (['restore', 'storage-classes'] as const) : [];
  const { store, bucket } = await openTestStore(server, { versioned, features });
  closing.push(
    () => bucket.close(),
    () => store.close(),
  );
  return { store, bucket };
}

async function put(store: S3ObjectStore, ...texts: string[]): Promise<void> {
  for (const text of texts) await store.put(KEY, Buffer.from(text), PLAIN);
}

/** All contents that the bucket still has of the key, whether they can be seen or not. */
async function kept({ client, name }: TestBucket): Promise<string[]> {
  const { Versions = [] } = await client.send(new ListObjectVersionsCommand({ Bucket: name }));
  const texts: string[] = [];
  for (const { Key, VersionId } of Versions) {
    const { Body } = await client.send(new GetObjectCommand({ Bucket: name, Key, VersionId }));
    texts.push((await Body?.transformToString()) ?? '');
  }
  return texts.toSorted();
}

async function markers({ client, name }: TestBucket): Promise<number> {
  const { DeleteMarkers = [] } = await client.send(new ListObjectVersionsCommand({ Bucket: name }));
  return DeleteMarkers.length;
}

async function earlier(store: S3ObjectStore): Promise<string[]> {
  const texts: string[] = [];
  for await (const body of store.previous?.(KEY) ?? []) texts.push((await buffer(body)).toString());
  return texts;
}

async function version({ client, name }: TestBucket, Status: 'Enabled' | 'Suspended'): Promise<void> {
  const VersioningConfiguration = { Status };
  await client.send(new PutBucketVersioningCommand({ Bucket: name, VersioningConfiguration }));
}

for (const server of SERVERS)
  describe.skipIf(server === null)(
    `what a bucket with versions has of a hidden object (${server?.product ?? 'skipped: no server'})`,
    () => {
      test('is every version it had, behind one delete marker, however often it is hidden', async () => {
        const { store, bucket } = await opened(server);
        await put(store, 'good', 'damaged');
        await store.hide(KEY);
        await store.hide(KEY);
        expect(await outcome(store.head(KEY))).toBe('NOT_FOUND');
        expect(await kept(bucket)).toEqual(['damaged', 'good']);
        expect(await markers(bucket)).toBe(1);
        expect(await earlier(store)).toEqual(['damaged', 'good']);
      });

      test('is read to the last version, however many there are', async () => {
        const { store } = await opened(server);
        const texts = Array.from({ length: 25 }, (_, index) => String(index));
        await put(store, ...texts);
        await store.hide(KEY);
        expect(await earlier(store)).toHaveLength(25);
        expect((await earlier(store)).toSorted()).toEqual(texts.toSorted());
      });

      test('goes, in every version, when the object is deleted', async () => {
        const { store, bucket } = await opened(server);
        await put(store, 'good', 'damaged');
        await store.hide(KEY);
        await store.delete(KEY);
        expect(await kept(bucket)).toEqual([]);
        expect(await markers(bucket)).toBe(0);
      });

      test('is not touched when hiding it would destroy a version from before there were any', async () => {
        const { store, bucket } = await opened(server, false);
        await put(store, 'good');
        await version(bucket, 'Enabled');
        await put(store, 'damaged');
        await version(bucket, 'Suspended');
        expect(await outcome(store.hide(KEY))).toBe('CONFLICT');
        expect(await kept(bucket)).toEqual(['damaged', 'good']);
      });
    },
  );

describe.skipIf(localStack === null)(
  'earlier versions that are archived (LocalStack; skipped: no server)',
  () => {
    test('are named when all others were given', async () => {
      const { store, bucket } = await opened(localStack);
      await put(store, 'first');
      const CopySource = `${bucket.name}/${KEY}`;
      await bucket.client.send(
        new CopyObjectCommand({ Bucket: bucket.name, Key: KEY, CopySource, StorageClass: 'GLACIER' }),
      );
      await put(store, 'last');
      const given: string[] = [];
      const reading = (async () => {
        for await (const body of store.previous?.(KEY) ?? []) given.push((await buffer(body)).toString());
      })();
      expect(await outcome(reading)).toBe('OBJECT_ARCHIVED');
      expect(given).toEqual(['first']);
    });
  },
);
