import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { PutBucketCorsCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { clientOf } from '#test/acceptance/client.ts';
import { bucketCors } from '#src/domain/bucket-cors.ts';
import { Reservation } from '#src/http/schemas.ts';
import { BROWSER, type Browsing, openBrowser } from '#test/support/browsing.ts';
import { photoPath } from '#test/support/photos.ts';
import { cephServer, createTestBucket, type TestBucket } from '#test/support/s3-server.ts';
import { type RunningService, startService } from '#test/support/service.ts';

const server = cephServer();

const Outcome = z.object({ status: z.number().nullable(), error: z.string() });

describe.skipIf(server === null || BROWSER === undefined)(
  'a page that posts a form to the bucket (skipped without TEST_S3_ENDPOINT or a browser)',
  () => {
    let bucket: TestBucket;
    let service: RunningService;
    let browsing: Browsing;
    let ours: Page;
    let others: Page;
    beforeAll(async () => {
      if (server === null) return;
      [ours, others] = [await startPage(), await startPage()];
      bucket = await createTestBucket(server);
      const CORSRules = [...bucketCors([ours.origin])];
      await bucket.client.send(
        new PutBucketCorsCommand({ Bucket: bucket.name, CORSConfiguration: { CORSRules } }),
      );
      service = await startService({ env: bucket.settings });
      browsing = await openBrowser(service.url);
    });
    afterAll(async () => {
      await browsing?.close();
      await Promise.all([ours?.close(), others?.close()]);
      await service?.stop();
      await bucket?.close();
    });

    async function reserve() {
      const client = clientOf(service.url);
      const token = await client.token('seller-1');
      const itemId = await client.listing(token);
      const bytes = await readFile(photoPath('lake.jpg'));
      const reply = await client.call('POST', '/v1/uploads', {
        token,
        json: { kind: 'item_photo', itemId, filename: 'lake.jpg', bytes: bytes.length, type: 'image/jpeg' },
      });
      return { client, token, bytes, ...reply.as(Reservation) };
    }

    /** What a page of that origin gets to know when it posts the form. `watched` listens to progress, which asks first. */
    async function post(
      origin: string,
      { direct, bytes }: Awaited<ReturnType<typeof reserve>>,
      { watched = false, method = 'POST' } = {},
    ) {
      await browsing.page.goto(`${origin}/sell`);
      const page = {
        url: direct?.url,
        fields: direct?.fields,
        bytes: bytes.toString('base64'),
        watched,
        method,
      };
      const outcome: unknown = await browsing.page.evaluate(`(async () => {
        const { url, fields, bytes, watched, method } = ${JSON.stringify(page)};
        const body = new FormData();
        for (const [name, value] of Object.entries(fields)) body.append(name, value);
        const file = Uint8Array.from(atob(bytes), (char) => char.charCodeAt(0));
        body.append('file', new File([file], 'lake.jpg', { type: 'image/jpeg' }));
        return new Promise((resolve) => {
          const request = new XMLHttpRequest();
          request.open(method, url);
          if (watched) request.upload.addEventListener('progress', () => undefined);
          const end = (error) => () =>
            resolve({ status: request.status || null, error });
          request.addEventListener('load', end(''));
          request.addEventListener('error', end('refused'));
          request.send(body);
        });
      })()`);
      return Outcome.parse(outcome);
    }

    test.each([
      ['at once', false],
      ['after asking the bucket', true],
    ])('of our origin may, %s, and the photo becomes ready', async (_how, watched) => {
      const reserved = await reserve();
      const outcome = await post(ours.origin, reserved, { watched });
      expect(outcome).toEqual({ status: 204, error: '' });
      const { client, token, id } = reserved;
      const done = await client.call('POST', `/v1/uploads/${id}/complete`, { token });
      expect([201, 202]).toContain(done.status);
      await client.untilState(id, token, 'ready');
    });

    test.each([
      ['at once', false],
      ['after asking the bucket', true],
    ])('of another origin reads no answer, %s', async (_how, watched) => {
      expect(await post(others.origin, await reserve(), { watched })).toEqual({
        status: null,
        error: 'refused',
      });
    });

    test('of our origin may do nothing but post', async () => {
      for (const method of ['PUT', 'DELETE', 'GET'])
        expect(await post(ours.origin, await reserve(), { method })).toMatchObject({ error: 'refused' });
    });
  },
);

/** A page of an origin of its own, as the market's web site is one beside this service. */
interface Page {
  readonly origin: string;
  close(): Promise<void>;
}

async function startPage(): Promise<Page> {
  const site = createServer((_request, response) => {
    response.setHeader('content-type', 'text/html');
    response.end('<!doctype html><title>A page</title>');
  });
  site.listen(0, '127.0.0.1');
  await once(site, 'listening');
  const address = site.address();
  if (address === null || typeof address === 'string') throw new Error('Expected a TCP port');
  return {
    origin: `http://127.0.0.1:${address.port}`,
    async close() {
      site.closeAllConnections();
      site.close();
    },
  };
}
