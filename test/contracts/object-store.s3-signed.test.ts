import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createS3ObjectStore, type S3ObjectStore } from '#src/adapters/object-store/s3.ts';
import { isObjectKey, objectKey } from '#src/domain/keys.ts';
import { createStorageService } from '#src/services/storage.service.ts';
import { cephServer, createTestBucket, type TestBucket, versityServer } from '#test/support/s3-server.ts';
import { optionsFor } from '#test/support/s3-store.ts';
import { PLAIN } from './object-store/support.ts';

const mine = objectKey('quarantine/view/mine.jpg');
const yours = objectKey('quarantine/view/yours.jpg');

for (const server of [cephServer(), versityServer()])
  describe.skipIf(server === null)(
    `what a signature opens (${server?.product ?? 'skipped: no server'})`,
    () => {
      let bucket: TestBucket;
      let other: TestBucket;
      let store: S3ObjectStore;
      beforeAll(async () => {
        if (server === null) return;
        bucket = await createTestBucket(server);
        other = await createTestBucket(server);
        store = await createS3ObjectStore(optionsFor(bucket));
        for (const key of [mine, yours]) await store.put(key, Buffer.from(key), PLAIN);
        const elsewhere = await createS3ObjectStore(optionsFor(other));
        await elsewhere.put(mine, Buffer.from('other'), PLAIN);
        await elsewhere.close();
      });
      afterAll(async () => {
        await store?.close();
        await bucket?.close();
        await other?.close();
      });

      async function status(url: string, init?: RequestInit): Promise<number> {
        const response = await fetch(url, init);
        await response.arrayBuffer();
        return response.status;
      }

      test('is one object, to be read', async () => {
        const url = await store.signGetUrl(mine, 60);
        expect(await status(url)).toBe(200);
        expect(await status(url.replace('mine', 'yours'))).toBe(403);
        expect(await status(url.replace(bucket.name, other.name))).toBe(403);
        for (const method of ['PUT', 'DELETE', 'POST'])
          expect(
            await status(url, { method, ...(method !== 'DELETE' && { body: 'x' }) }),
          ).toBeGreaterThanOrEqual(400);
        expect((await store.head(mine)).bytes).toBe(mine.length);
      });

      test('is nothing once its time is over', async () => {
        const url = await store.signGetUrl(mine, 1);
        expect(await status(url)).toBe(200);
        await expect.poll(() => status(url), { timeout: 10_000 }).toBe(403);
      });

      test('cannot be made to last: not by the URL, and not by us for longer than a week', async () => {
        const url = new URL(await store.signGetUrl(mine, 60));
        for (const seconds of ['61', '604800', '604801', '99999999999', '-1', '']) {
          url.searchParams.set('X-Amz-Expires', seconds);
          expect(await status(url.href)).toBeGreaterThanOrEqual(400);
        }
        await expect(createStorageService({ store }).getSignedUrl(mine, 604_801)).rejects.toMatchObject({
          code: 'INVALID_REQUEST',
        });
      });

      test.each([
        ['..', 'quarantine/view/../view/mine.jpg'],
        ['an encoded ..', 'quarantine/view/%2e%2e/view/mine.jpg'],
        ['an encoded slash', 'quarantine%2Fview%2Fyours.jpg'],
        ['a doubly encoded slash', 'quarantine%252Fview%252Fmine.jpg'],
        ['a NUL', 'quarantine/view/mine.jpg%00'],
        ['a second slash', 'quarantine//view/mine.jpg'],
        ['a backslash', 'quarantine/view%5Cmine.jpg'],
        ['nothing but the signature of another', 'quarantine/view/yours.jpg'],
      ])('is not another spelling: %s', async (_, path) => {
        const url = await store.signGetUrl(mine, 60);
        const changed = url.replace(/(?<=[0-9a-f]{12}\/).*(?=\?)/, path);
        expect(changed).not.toBe(url);
        expect(await raw(changed)).toBeGreaterThanOrEqual(400);
      });

      test('is asked for by keys that have one spelling alone', () => {
        for (const key of ['a/../b', '..', 'a//b', 'a%2fb', 'a\0b', 'a\\b', '/a', 'a/', './a', 'ä'])
          expect(isObjectKey(key)).toBe(false);
      });
    },
  );

/** The status of a GET whose path is sent as it stands: `fetch` would resolve its dots. */
async function raw(url: string): Promise<number> {
  const { hostname, port } = new URL(url);
  const path = url.slice(url.indexOf('/', 'http://'.length));
  return new Promise((resolve, reject) => {
    request({ hostname, port, path }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    })
      .on('error', reject)
      .end();
  });
}
