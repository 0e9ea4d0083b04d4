import {
  CopyObjectCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectVersionsCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { CreateKeyCommand, DisableKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import { afterEach, describe, expect, test } from 'vitest';
import { objectKey } from '#src/domain/keys.ts';
import { createStorageService } from '#src/services/storage.service.ts';
import {
  cephServer,
  localStackServer,
  type S3Server,
  type TestBucket,
  versityServer,
} from '#test/support/s3-server.ts';
import { openTestStore } from '#test/support/s3-store.ts';
import { outcome, PLAIN, read } from './object-store/support.ts';

const ceph = cephServer();
const versity = versityServer();
const localStack = localStackServer();

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

async function opened(server: S3Server | null, options: Parameters<typeof openTestStore>[1] = {}) {
  if (server === null) throw new Error('Expected a server');
  const { store, bucket } = await openTestStore(server, options);
  closing.push(
    () => bucket.close(),
    () => store.close(),
  );
  return { store, bucket };
}

/** Ceph does not keep `If-None-Match` where it keeps versions. */
const VERSIONED = { versioned: true, features: ['tags'] } as const;

async function versions({ client, name }: TestBucket): Promise<string[]> {
  const page = await client.send(new ListObjectVersionsCommand({ Bucket: name }));
  return [...(page.Versions ?? []), ...(page.DeleteMarkers ?? [])].map(({ Key = '' }) => Key);
}

for (const server of [ceph, versity, localStack])
  describe.skipIf(server === null)(
    `a bucket that keeps versions (${server?.product ?? 'skipped: no server'})`,
    () => {
      test('has nothing left of a deleted object: no version, no delete marker; and all of the others', async () => {
        const { store, bucket } = await opened(server, VERSIONED);
        const [key, longer] = [objectKey('items/a'), objectKey('items/a-longer')];
        for (const text of ['one', 'two', 'three']) await store.put(key, Buffer.from(text), PLAIN);
        await store.put(longer, Buffer.from('kept'), PLAIN);
        await bucket.client.send(new DeleteObjectCommand({ Bucket: bucket.name, Key: key }));
        await store.put(key, Buffer.from('four'), PLAIN);
        await bucket.client.send(new DeleteObjectCommand({ Bucket: bucket.name, Key: key }));
        await store.delete(key);
        expect(await versions(bucket)).toEqual([longer]);
        await store.delete(key);
        await store.delete(objectKey('items/never'));
        expect(await versions(bucket)).toEqual([longer]);
      });

      test('never shows a replaced content again while it deletes', async () => {
        const { store, bucket } = await opened(server, VERSIONED);
        const key = objectKey('items/a');
        for (const text of ['oldest', 'older', 'newest']) await store.put(key, Buffer.from(text), PLAIN);
        const seen = new Set<string>();
        let deleting = true;
        const looking = (async () => {
          while (deleting) seen.add(await read(store, key).then(String, () => 'gone'));
        })();
        await store.delete(key);
        deleting = false;
        await looking;
        expect([...seen].filter((text) => text !== 'newest' && text !== 'gone')).toEqual([]);
        expect(await versions(bucket)).toEqual([]);
      });

      test('is told from its answers when versions are switched on after the start', async () => {
        const { store, bucket } = await opened(server, { features: ['tags'] });
        const key = objectKey('items/a');
        await bucket.client.send(
          new PutBucketVersioningCommand({
            Bucket: bucket.name,
            VersioningConfiguration: { Status: 'Enabled' },
          }),
        );
        for (const text of ['one', 'two']) await store.put(key, Buffer.from(text), PLAIN);
        await store.delete(key);
        expect(await versions(bucket)).toEqual([]);
      });

      test('is emptied of the object in the replica, too', async () => {
        const primary = await opened(server, VERSIONED);
        const replica = await opened(server, { ...VERSIONED, role: 'replica' });
        const key = 'items/a';
        for (const { store } of [primary, replica])
          for (const text of ['one', 'two']) await store.put(objectKey(key), Buffer.from(text), PLAIN);
        await createStorageService({
          store: primary.store,
          replica: { store: replica.store, standingOf: () => Promise.resolve('live') },
        }).deleteFile(key);
        expect(await versions(primary.bucket)).toEqual([]);
        expect(await versions(replica.bucket)).toEqual([]);
      });
    },
  );

describe('encryption at rest', () => {
  const sizes = { small: 10, large: 17 * 1024 ** 2 };

  test.skipIf(ceph === null)(
    'by a key of the operator (SSE-KMS, Ceph): objects, parts and forms',
    async () => {
      const { store, bucket } = await opened(ceph, { encryption: { kind: 'kms', keyId: 'testkey-1' } });
      for (const [name, bytes] of Object.entries(sizes))
        await store.put(objectKey(name), Buffer.alloc(bytes, 1), PLAIN);
      const { url, fields } = await store.signPostForm(objectKey('form'), {
        contentType: 'image/jpeg',
        maxBytes: 10,
        expiresInSeconds: 60,
      });
      const form = new FormData();
      for (const [name, value] of Object.entries(fields)) form.set(name, value);
      form.set('file', new Blob([new Uint8Array(5)]));
      expect((await fetch(url, { method: 'POST', body: form })).status).toBeLessThan(300);
      for (const Key of ['small', 'large', 'form']) {
        const head = await bucket.client.send(new HeadObjectCommand({ Bucket: bucket.name, Key }));
        expect(head).toMatchObject({ ServerSideEncryption: 'aws:kms', SSEKMSKeyId: 'testkey-1' });
      }
      expect((await read(store, objectKey('large'))).equals(Buffer.alloc(sizes.large, 1))).toBe(true);
    },
  );

  test.skipIf(localStack === null)('by S3 (SSE-S3) and by KMS (LocalStack)', async () => {
    const kms = new KMSClient({ endpoint: localStack?.endpoint ?? '', region: 'us-east-1', ...localStack });
    const { KeyMetadata } = await kms.send(new CreateKeyCommand({}));
    const keyId = KeyMetadata?.Arn ?? '';
    kms.destroy();
    for (const [encryption, expected] of [
      [{ kind: 's3' }, { ServerSideEncryption: 'AES256' }],
      [
        { kind: 'kms', keyId },
        { ServerSideEncryption: 'aws:kms', SSEKMSKeyId: keyId, BucketKeyEnabled: true },
      ],
    ] as const) {
      const { store, bucket } = await opened(localStack, { encryption });
      for (const [name, bytes] of Object.entries(sizes)) {
        await store.put(objectKey(name), Buffer.alloc(bytes, 1), PLAIN);
        await store.copy(objectKey(name), objectKey(`copy/${name}`));
        for (const Key of [name, `copy/${name}`]) {
          const head = await bucket.client.send(new HeadObjectCommand({ Bucket: bucket.name, Key }));
          expect(head).toMatchObject(expected);
        }
      }
    }
  });

  test.skipIf(localStack === null)(
    'with a key that is disabled is refused at the start, by its variable',
    async () => {
      const kms = new KMSClient({ endpoint: localStack?.endpoint ?? '', region: 'us-east-1', ...localStack });
      const { KeyMetadata } = await kms.send(new CreateKeyCommand({}));
      const keyId = KeyMetadata?.Arn ?? '';
      await kms.send(new DisableKeyCommand({ KeyId: keyId }));
      kms.destroy();
      await expect(opened(localStack, { encryption: { kind: 'kms', keyId } })).rejects.toMatchObject({
        code: 'INVALID_CONFIGURATION',
        message: expect.stringContaining('S3_SSE_KMS_KEY_ID names a key that cannot be used'),
      });
    },
  );
});

describe.skipIf(localStack === null)(
  'an object that is archived behind our back (LocalStack; skipped: no server)',
  () => {
    async function archive({ client, name }: TestBucket, Key: string): Promise<void> {
      const CopySource = `${name}/${Key}`;
      await client.send(new CopyObjectCommand({ Bucket: name, Key, CopySource, StorageClass: 'GLACIER' }));
    }

    test('is OBJECT_ARCHIVED to a read, a copy and a service; described still, and read once restored', async () => {
      const { store, bucket } = await opened(localStack);
      const key = objectKey('items/original/a.jpg');
      const { etag } = await store.put(key, Buffer.from('cold'), PLAIN);
      await archive(bucket, key);
      expect(await outcome(store.get(key))).toBe('OBJECT_ARCHIVED');
      expect(await outcome(store.copy(key, objectKey('copy')))).toBe('OBJECT_ARCHIVED');
      expect(await outcome(createStorageService({ store }).downloadFile(key))).toBe('OBJECT_ARCHIVED');
      expect(await store.head(key)).toMatchObject({ etag, storageClass: 'GLACIER' });
      await store.restore?.(key, 1);
      expect((await read(store, key)).toString()).toBe('cold');
    });

    test('lets a read that had begun end whole, or fail: it never ends early', async () => {
      const { store, bucket } = await opened(localStack);
      const key = objectKey('large');
      await store.put(key, Buffer.alloc(60 * 1024 ** 2, 1), PLAIN);
      const { body } = await store.get(key);
      await archive(bucket, key);
      let received = 0;
      const reading = (async () => {
        for await (const chunk of body) received += chunk instanceof Buffer ? chunk.length : 0;
      })();
      const code = await outcome(reading);
      // A connection that has begun goes on to the end; ranges that are asked for afterwards are refused.
      expect(received === 60 * 1024 ** 2 ? [null] : ['OBJECT_ARCHIVED', 'VERSION_CONFLICT']).toContain(code);
    });
  },
);

describe.skipIf(versity === null)('checksums (versitygw; skipped: no server)', () => {
  test('go with every object and part, and are kept by the store', async () => {
    const { store, bucket } = await opened(versity);
    for (const [name, bytes] of Object.entries({ small: 10, large: 17 * 1024 ** 2 })) {
      await store.put(objectKey(name), Buffer.alloc(bytes, 1), PLAIN);
      const at = { Bucket: bucket.name, Key: name, ChecksumMode: 'ENABLED' } as const;
      const head = await bucket.client.send(new HeadObjectCommand(at));
      expect(head.ChecksumCRC32 ?? head.ChecksumCRC64NVME).toBeTypeOf('string');
    }
  });
});

describe.skipIf(ceph === null)('an object that others have written (Ceph; skipped: no server)', () => {
  test('is described, whatever its metadata say', async () => {
    const { store, bucket } = await opened(ceph);
    const Metadata = { broken: "UTF-8''%E4", percent: '100%25' };
    await bucket.client.send(new PutObjectCommand({ Bucket: bucket.name, Key: 'a', Body: 'x', Metadata }));
    expect((await store.head(objectKey('a'))).metadata).toEqual(Metadata);
    await bucket.client.send(new PutObjectCommand({ Bucket: bucket.name, Key: 'ä ö/ü', Body: 'x' }));
    await bucket.client.send(new PutObjectCommand({ Bucket: bucket.name, Key: 'z', Body: 'x' }));
    const first = await store.list('', { limit: 1 });
    const second = await store.list('', { limit: 1, after: first.next ?? '' });
    expect([...first.objects, ...second.objects].map(({ key }) => key)).toEqual(['a', 'z']);
  });

  test('and its metadata are encoded as ASCII on the wire', async () => {
    const { store, bucket } = await opened(ceph);
    await store.put(objectKey('a'), Buffer.from('x'), { ...PLAIN, metadata: { name: 'Größe 東京' } });
    const { Metadata } = await bucket.client.send(new GetObjectCommand({ Bucket: bucket.name, Key: 'a' }));
    expect(Metadata?.['name']).toBe("UTF-8''Gr%C3%B6%C3%9Fe%20%E6%9D%B1%E4%BA%AC");
    expect(
      await outcome(store.put(objectKey('b'), Buffer.from('x'), { ...PLAIN, metadata: { 'a b': 'c' } })),
    ).toBe('INVALID_REQUEST');
  });
});
