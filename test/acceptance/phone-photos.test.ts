import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { z } from 'zod';
import { fitInside, MAX_EDGE, VARIANTS } from '#src/domain/renditions.ts';
import { Photo } from '#src/http/schemas.ts';
import { exiftoolAvailable, privateFindings, readMetadata } from '#test/support/exiftool.ts';
import { listPhonePhotos, type PhotoFixture } from '#test/support/photos.ts';
import { type RunningService, startService } from '#test/support/service.ts';
import { addressesOf, type Client, clientOf, photoFile } from './client.ts';

const phonePhotos = listPhonePhotos();
let service: RunningService;
let client: Client;
let ready: { source: PhotoFixture; photo: z.output<typeof Photo> }[];

beforeAll(async () => {
  service = await startService({ env: { LOG_LEVEL: 'warn' } });
  client = clientOf(service.url);
  const token = await client.token('seller-1', 'seller');
  const itemId = await client.listing(token);
  ready = await Promise.all(
    phonePhotos.map(async (source) => {
      const reply = await client.upload(`/v1/items/${itemId}/photos`, await photoFile(source.name), {
        token,
        headers: { prefer: 'respond-async' },
      });
      return {
        source,
        photo: await client.untilState(reply.as(Photo).id, token, 'ready', 'rejected', 'failed'),
      };
    }),
  );
}, 120_000);
afterAll(() => service.stop());

describe('ten photos as phones take them, with places in them', () => {
  test('ten of them, several orientations, one HEIC', () => {
    expect(phonePhotos).toHaveLength(10);
    expect(phonePhotos.every((photo) => photo.gps)).toBe(true);
    expect(new Set(phonePhotos.map((photo) => photo.orientation)).size).toBeGreaterThanOrEqual(8);
    expect(phonePhotos.filter((photo) => photo.type === 'image/heic')).toHaveLength(1);
  });

  test.each(phonePhotos.map((photo, index) => [photo.name, index] as const))(
    '%s is ready, upright, in every size',
    (_name, index) => {
      const found = ready[index];
      if (found === undefined) throw new Error(`Expected an answer for photo ${index}`);
      const { source, photo } = found;
      expect(photo).toMatchObject({ state: 'ready', reason: null });
      const original = fitInside(source.width, source.height, MAX_EDGE.original);
      expect({ width: photo.width, height: photo.height }).toEqual(original);
      expect(Object.keys(photo.variants)).toEqual([...VARIANTS]);
    },
  );

  test.skipIf(!exiftoolAvailable())(
    'exiftool finds nothing private in any public file (skipped where exiftool is missing)',
    async () => {
      const objects = ready.flatMap(({ photo }) => addressesOf(photo).objects);
      expect(objects).toHaveLength(10 * 7);
      for (const { url, bytes } of objects) {
        const reply = await client.call('GET', url);
        expect([reply.status, reply.body.length]).toEqual([200, bytes]);
        expect(privateFindings(await readMetadata(reply.body)), url).toEqual([]);
      }
    },
    120_000,
  );
});
