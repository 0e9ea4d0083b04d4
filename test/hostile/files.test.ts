import sharp from 'sharp';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type Client, clientOf, expectNoObjects, expectProblem } from '#test/acceptance/client.ts';
import * as hostile from '#test/support/hostile.ts';
import { type RunningService, startService } from '#test/support/service.ts';
import { METADATA_ATTACKS } from './metadata.ts';
import { ANIMATED, ODD_PICTURES } from './pictures.ts';
import { POLYGLOTS, REFUSED_POLYGLOTS, WRONG_TYPES, wrongType } from './polyglots.ts';
import { expectOurs, publicObjects, remove, uploaded } from './uploads.ts';

let service: RunningService;
let client: Client;
let seller: string;
let itemId: string;
let photos: string;

beforeAll(async () => {
  service = await startService({ env: { LOG_LEVEL: 'warn', UPLOADS_PER_MINUTE: '1000' } });
  client = clientOf(service.url);
  seller = await client.token('seller-1', 'seller');
  itemId = await client.listing(seller);
  photos = `/v1/items/${itemId}/photos`;
});
afterAll(() => service.stop());
afterEach(async () => {
  expect((await client.gallery(itemId)).photos).toEqual([]);
  await expectNoObjects(service.dataDir);
});

describe('of a file that is two things, only a picture of ours is public:', () => {
  test.each(POLYGLOTS)('$name', async ({ make, payload }) => {
    const file = await make();
    expect(file.bytes.includes(payload)).toBe(true);
    const photo = await uploaded(client, photos, seller, file);
    await expectOurs(client, photo, service.dataDir, [payload]);
    await remove(client, seller, photo);
  });
});

describe('is refused:', () => {
  test.each(REFUSED_POLYGLOTS)('$name', async ({ make, status, code }) => {
    expectProblem(await client.upload(photos, await make(), { token: seller }), status, code);
  });

  test.each(WRONG_TYPES)('%s named and claimed as a JPEG', async (_what, begins) => {
    expectProblem(await client.upload(photos, wrongType(begins), { token: seller }), 415, 'UNSUPPORTED_TYPE');
  });

  test('a PDF, a drawing and a GIF that claim and are named as what is accepted', async () => {
    for (const file of [hostile.pdf(), hostile.svgNamedJpg(), await hostile.animatedGif()]) {
      const claimed = { ...file, name: 'photo.webp', type: 'image/webp' };
      expectProblem(await client.upload(photos, claimed, { token: seller }), 415, 'UNSUPPORTED_TYPE');
    }
  });
});

describe('a picture that is seldom seen is taken and comes out right:', () => {
  test.each(ODD_PICTURES)('$name', async ({ make, size, warnings }) => {
    const photo = await uploaded(client, photos, seller, await make());
    expect([photo.width, photo.height]).toEqual(size);
    expect(photo.warnings).toEqual(expect.arrayContaining([...warnings]));
    await expectOurs(client, photo, service.dataDir);
    await remove(client, seller, photo);
  });

  test.each(ANIMATED)('$name shows its first frame, and the others reach nobody', async ({ make }) => {
    const photo = await uploaded(client, photos, seller, await make());
    expect(photo.warnings).toContain('ANIMATION_DROPPED');
    await expectOurs(client, photo, service.dataDir, ['fdAT', 'ANMF']);
    for (const { url } of publicObjects(photo)) {
      const picture = sharp((await client.call('GET', url)).body, { pages: -1 });
      expect((await picture.metadata()).pages ?? 1).toBe(1);
      const { channels } = await picture.stats();
      expect(channels[0]?.min).toBeGreaterThan(240);
      expect(channels[1]?.max).toBeLessThan(15);
    }
    await remove(client, seller, photo);
  });

  test('photos with flipped bits decode or are refused, and the service goes on', async () => {
    const file = await hostile.bitFlippedJpeg();
    const photo = await uploaded(client, photos, seller, file);
    await expectOurs(client, photo, service.dataDir);
    await remove(client, seller, photo);
  });
});

describe('metadata does no harm and reaches nobody:', () => {
  test.each(METADATA_ATTACKS)('$name', async ({ make, payload, size }) => {
    const file = await make();
    for (const text of payload) expect(file.bytes.includes(text), text).toBe(true);
    const photo = await uploaded(client, photos, seller, file);
    expect([photo.width, photo.height]).toEqual(size);
    expect(JSON.stringify(photo)).not.toMatch(/script|passwd/);
    await expectOurs(client, photo, service.dataDir, payload);
    await remove(client, seller, photo);
  });
});
