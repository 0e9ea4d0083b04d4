import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ListObjectsV2Command } from '@aws-sdk/client-s3';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Upload } from 'tus-js-client';
import { type Client, clientOf } from '#test/acceptance/client.ts';
import { Photo, Reservation } from '#src/http/schemas.ts';
import { PART_BYTES } from '#src/services/uploads/parts.ts';
import { urlOf } from '#test/support/app.ts';
import { type CutProxy, startCutProxy } from '#test/support/cut-proxy.ts';
import { createTestDatabase, type TestDatabase } from '#test/support/database.ts';
import { withComment } from '#test/support/jpeg.ts';
import { largePhoto } from '#test/support/large-photo.ts';
import { cephServer, createTestBucket, type TestBucket } from '#test/support/s3-server.ts';
import { type RunningService, startService } from '#test/support/service.ts';

const server = cephServer();
/** Where the connection is cut, in bytes on the wire. */
const CUT = 3_000_000;
/** A part that is not whole is lost with its process; what is in the buffers of sockets and proxy besides. */
const LOST_AT_MOST = 1_800_000;

describe.skipIf(server === null)(
  'a resumable upload to two processes that share a bucket and no disk (skipped without TEST_S3_ENDPOINT)',
  () => {
    let database: TestDatabase;
    let bucket: TestBucket;
    let bytes: Buffer;
    let processes: { service: RunningService; client: Client; token: string }[];
    let proxy: CutProxy;
    beforeAll(async () => {
      bytes = await sixMegabytes();
    });
    beforeEach(async () => {
      if (server === null) return;
      [database, bucket] = [await createTestDatabase(), await createTestBucket(server)];
      const env = { ...bucket.settings, DATABASE_URL: urlOf(database), QUEUE_LOCK_MS: '1000' };
      processes = [];
      for (const _ of [1, 2]) {
        const service = await startService({ env });
        const client = clientOf(service.url);
        processes.push({ service, client, token: await client.token('seller-1') });
      }
      proxy = await startCutProxy(processes[0]?.service.url ?? '');
    });
    afterEach(async () => {
      await proxy?.close();
      for (const { service } of processes ?? []) await service.stop();
      await database?.close();
      await bucket?.close();
    });

    function both() {
      const [first, second] = processes;
      if (first === undefined || second === undefined) throw new Error('Expected two processes');
      return { first, second };
    }

    async function reserve({ client, token }: { client: Client; token: string }) {
      const itemId = await client.listing(token);
      const sha256 = createHash('sha256').update(bytes).digest('hex');
      const json = {
        kind: 'item_photo',
        itemId,
        filename: 'a.jpg',
        type: 'image/jpeg',
        bytes: bytes.length,
        sha256,
      };
      const reply = await client.call('POST', '/v1/uploads', { token, json });
      return { ...reply.as(Reservation), sha256 };
    }

    /** Sends what is missing; rejects when the connection breaks. Resolves to the offset at which it began. */
    function send(base: string, token: string, id: string): Promise<number> {
      let began = 0;
      return new Promise((resolve, reject) => {
        const upload = new Upload(bytes, {
          uploadUrl: `${base}/v1/uploads/tus/${id}`,
          headers: { authorization: `Bearer ${token}` },
          retryDelays: null,
          storeFingerprintForResuming: false,
          onAfterResponse: (request, response) => {
            if (request.getMethod() === 'HEAD') began = Number(response.getHeader('upload-offset'));
          },
          onSuccess: () => resolve(began),
          onError: reject,
        });
        upload.start();
      });
    }

    async function keys(): Promise<string[]> {
      const { Contents = [] } = await bucket.client.send(new ListObjectsV2Command({ Bucket: bucket.name }));
      return Contents.map(({ Key = '' }) => Key);
    }

    async function expectWhole(client: Client, token: string, id: string, sha256: string) {
      const reply = await client.call('POST', `/v1/uploads/${id}/complete`, { token });
      expect([201, 202]).toContain(reply.status);
      await client.untilState(id, token, 'ready');
      const photo = (await client.call('GET', `/v1/photos/${id}`, { token })).as(Photo);
      expect(photo.sha256).toBe(sha256);
      await expect.poll(async () => (await keys()).filter((key) => key.startsWith('temp/'))).toEqual([]);
    }

    test('that was cut in the middle goes on in the other, and leaves nothing behind', async () => {
      const { first, second } = both();
      const { id, sha256 } = await reserve(first);
      const cut = proxy.cutAfter(CUT);
      await expect(send(proxy.url, first.token, id)).rejects.toThrow('tus');
      await cut;
      const began = await send(second.service.url, second.token, id);
      expect(began).toBeGreaterThan(CUT - LOST_AT_MOST);
      expect(began).toBeLessThan(bytes.length);
      await expectWhole(first.client, first.token, id, sha256);
    });

    test('whose process is killed goes on in the other from the last part', async () => {
      const { first, second } = both();
      const { id, sha256 } = await reserve(first);
      const sending = send(proxy.url, first.token, id).then(
        () => 'sent',
        () => 'failed',
      );
      await expect
        .poll(async () => (await keys()).filter((key) => key.includes(id)).length, { interval: 5 })
        .toBeGreaterThan(2);
      await first.service.kill9();
      expect(await sending).toBe('failed');
      const stored = (await keys()).filter((key) => key.includes(id)).length;
      const began = await send(second.service.url, second.token, id);
      expect(began).toBeGreaterThanOrEqual(Math.min(bytes.length, stored * PART_BYTES));
      await expectWhole(second.client, second.token, id, sha256);
    });

    test('sent to both at once becomes one photo, whole', async () => {
      const { first, second } = both();
      const { id, sha256 } = await reserve(first);
      const sent = await Promise.allSettled([
        send(first.service.url, first.token, id),
        send(second.service.url, second.token, id),
      ]);
      if (sent.every(({ status }) => status === 'rejected')) await send(second.service.url, second.token, id);
      await expectWhole(first.client, first.token, id, sha256);
    });

    test('that is given up leaves nothing in the bucket', async () => {
      const { first, second } = both();
      const { id } = await reserve(first);
      const cut = proxy.cutAfter(CUT);
      await expect(send(proxy.url, first.token, id)).rejects.toThrow('tus');
      await cut;
      await expect.poll(async () => (await keys()).length).toBeGreaterThan(1);
      const headers = { 'tus-resumable': '1.0.0' };
      const { url } = second.service;
      const given = await second.client.call('DELETE', `${url}/v1/uploads/tus/${id}`, {
        token: second.token,
        headers,
      });
      expect(given.status).toBe(204);
      await expect.poll(keys).toEqual([]);
    });

    test('has nothing on the disk of the process that takes it', async () => {
      const temporary = await mkdtemp(join(tmpdir(), 'localex-tus-disk-'));
      await mkdir(join(temporary, 'tmp'));
      const service = await startService({
        env: { ...bucket.settings, DATABASE_URL: urlOf(database), TMPDIR: join(temporary, 'tmp') },
      });
      try {
        const client = clientOf(service.url);
        const token = await client.token('seller-1');
        const { id } = await reserve({ client, token });
        const cutting = await startCutProxy(service.url);
        const cut = cutting.cutAfter(CUT);
        await expect(send(cutting.url, token, id)).rejects.toThrow('tus');
        await cut;
        await expect
          .poll(async () => (await keys()).filter((key) => key.includes(id)).length)
          .toBeGreaterThan(1);
        const files = [...(await filesBelow(service.dataDir)), ...(await filesBelow(temporary))];
        expect(files.filter(({ size }) => size > 100_000)).toEqual([]);
        await cutting.close();
      } finally {
        await service.stop();
        await rm(temporary, { recursive: true, force: true });
      }
    });
  },
);

async function filesBelow(folder: string): Promise<{ path: string; size: number }[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return Promise.all(files.map(async (path) => ({ path, size: (await stat(path)).size })));
}

/** A photo of more than 6 MB: one of 4.8 MB with comments, which every JPEG may have. */
async function sixMegabytes(): Promise<Buffer> {
  return withComment(await largePhoto(3), Buffer.alloc(1_500_000, 1));
}
