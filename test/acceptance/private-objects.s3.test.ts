import { createHash } from 'node:crypto';
import { ListObjectsV2Command } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { Photo, Reservation, ReviewEntry } from '#src/http/schemas.ts';
import { postForm } from '#test/support/direct-form.ts';
import { cephServer, createTestBucket, type TestBucket } from '#test/support/s3-server.ts';
import { type RunningService, startService } from '#test/support/service.ts';
import { type Client, clientOf, photoFile } from './client.ts';
import { DOUBT_ALL } from '#test/support/policies.ts';

const server = cephServer();
const Queue = z.object({ photos: z.array(ReviewEntry) });

describe.skipIf(server === null)(
  'what lies in the bucket and is not public (skipped without TEST_S3_ENDPOINT)',
  () => {
    let bucket: TestBucket;
    let service: RunningService;
    let client: Client;
    let token: string;
    let moderator: string;
    let viewUrl: string;
    let uploaded: Buffer;
    beforeAll(async () => {
      if (server === null) return;
      bucket = await createTestBucket(server);
      service = await startService({ env: { ...bucket.settings, ...DOUBT_ALL } });
      client = clientOf(service.url);
      token = await client.token('seller-1');
      moderator = await client.token('moderator-1', 'moderator');
      const itemId = await client.listing(token);
      // A photo that waits for a moderator, a document, a profile photo in review, an upload by form, and parts.
      const file = await photoFile('lake.jpg');
      uploaded = file.bytes;
      expect((await client.upload(`/v1/items/${itemId}/photos`, file, { token })).as(Photo).state).toBe(
        'in_review',
      );
      const [entry] = (await client.call('GET', '/v1/admin/review', { token: moderator })).as(Queue).photos;
      viewUrl = entry?.viewUrl ?? '';
      await client.upload('/v1/users/seller-1/verification-documents', await photoFile('dogs.jpg'), {
        token,
      });
      for (const byForm of [true, false]) {
        const { name: filename, bytes, type } = await photoFile('stream.jpg');
        const json = { kind: 'item_photo', itemId, filename, type, bytes: bytes.length };
        const { direct, tus } = (await client.call('POST', '/v1/uploads', { token, json })).as(Reservation);
        if (byForm) await postForm(direct, bytes);
        else
          await client.call('PATCH', tus.url, {
            token,
            body: bytes.subarray(0, 100_000),
            headers: {
              'tus-resumable': '1.0.0',
              'upload-offset': '0',
              'content-type': 'application/offset+octet-stream',
            },
          });
      }
    });
    afterAll(async () => {
      await service?.stop();
      await bucket?.close();
    });

    async function privateKeys(): Promise<string[]> {
      const { Contents = [] } = await bucket.client.send(new ListObjectsV2Command({ Bucket: bucket.name }));
      return Contents.map(({ Key = '' }) => Key);
    }

    test('is there: raw bytes and view in quarantine, a document, an upload and a part', async () => {
      const prefixes = new Set((await privateKeys()).map((key) => key.split('/').slice(0, 2).join('/')));
      expect([...prefixes].toSorted()).toEqual([
        'quarantine/raw',
        'quarantine/view',
        'temp/uploads',
        'verification/documents',
      ]);
    });

    test('the edge answers none of it, whoever asks, in whatever spelling', async () => {
      const keys = await privateKeys();
      expect(keys.length).toBeGreaterThanOrEqual(5);
      const query = viewUrl.split('?')[1] ?? '';
      for (const key of keys) {
        const encoded = key.replaceAll('/', '%2F');
        const paths = [
          `/cdn/${key}`,
          `/cdn/${encoded}`,
          `/cdn/items/../${key}`,
          `/cdn/items/..%2f${encoded}`,
          `/cdn//${key}`,
          `/cdn/${key}.auto`,
          `/cdn/${key.toUpperCase()}`,
          `/cdn/${key}%00.jpg`,
          // The signature of the view, on another key.
          ...(key.startsWith('quarantine/view/') ? [] : [`/cdn/${key}?${query}`]),
        ];
        for (const path of paths)
          for (const who of [undefined, token, moderator]) {
            const reply = await client.call('GET', path, who === undefined ? {} : { token: who });
            expect([400, 403, 404], path).toContain(reply.status);
            expect(reply.body.includes(uploaded.subarray(0, 64)), path).toBe(false);
          }
      }
    });

    test('only the view is read, with its own signature, and it is not what was uploaded', async () => {
      const reply = await client.call('GET', viewUrl);
      expect(reply.status).toBe(200);
      const hash = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');
      expect(hash(reply.body)).not.toBe(hash(uploaded));
      expect((await client.call('GET', viewUrl.split('?')[0] ?? '')).status).toBe(404);
    });

    test('the bucket gives nothing to who has no credentials', async () => {
      for (const key of await privateKeys())
        expect((await fetch(`${server?.endpoint}/${bucket.name}/${key}`)).status).toBe(403);
      expect((await fetch(`${server?.endpoint}/${bucket.name}`)).status).toBe(403);
    });

    test('this service takes no forms and answers no signed store URLs: the bucket does', async () => {
      expect((await client.call('POST', '/v1/uploads/form', { token })).status).toBe(404);
      expect((await client.call('GET', '/store/temp/uploads/x?expires=1&signature=x')).status).toBe(404);
    });
  },
);
