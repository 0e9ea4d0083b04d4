import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { type Client, clientOf, expectNoObjects, expectProblem } from '#test/acceptance/client.ts';
import { type RunningService, startService } from '#test/support/service.ts';
import { HARMLESS_BOMBS, REFUSED_BOMBS } from './bombs.ts';
import { type HeldMemory, watchMemory } from './memory.ts';
import { expectOurs, expectStillAtWork, remove, uploaded } from './uploads.ts';

let service: RunningService;
let client: Client;
let seller: string;
let itemId: string;
let photos: string;

beforeAll(async () => {
  service = await startService({
    env: { LOG_LEVEL: 'warn', UPLOADS_PER_MINUTE: '1000', IMAGE_PROCESSES: '1' },
  });
  client = clientOf(service.url);
  seller = await client.token('seller-1', 'seller');
  itemId = await client.listing(seller);
  photos = `/v1/items/${itemId}/photos`;
  await expectStillAtWork(client, photos, seller);
});
afterAll(() => service.stop());
afterEach(async () => {
  expect((await client.gallery(itemId)).photos).toEqual([]);
  await expectNoObjects(service.dataDir);
});

/** What the service may grow by over one bomb: the upload, a copy or two of it, and what has not been collected yet. */
const SERVICE_GROWTH_MB = 150;
/** An image process that has met nothing but small photos holds about 250 MB, most of it models. */
const IMAGE_PROCESS_MB = 500;

function expectFlat({ before, peak, childPeak }: HeldMemory): void {
  expect(peak - before).toBeLessThan(SERVICE_GROWTH_MB);
  expect(childPeak).toBeLessThan(IMAGE_PROCESS_MB);
}

test.each(REFUSED_BOMBS)('$name is refused by its header, and memory stays flat', async (bomb) => {
  const file = await bomb.make();
  const memory = await watchMemory(service.pid);
  const reply = await client.upload(photos, file, { token: seller });
  const held = await memory.stop();
  expectProblem(reply, bomb.code === 'TOO_MANY_PIXELS' ? 422 : 400, bomb.code);
  expectFlat(held);
});

test.each(HARMLESS_BOMBS)('$name is stepped over, and memory stays flat', async (bomb) => {
  const file = await bomb.make();
  const memory = await watchMemory(service.pid);
  const photo = await uploaded(client, photos, seller, file);
  const held = await memory.stop();
  await expectOurs(client, photo, service.dataDir);
  await remove(client, seller, photo);
  expectFlat(held);
});

test('after all of them a photo is published as before', () => expectStillAtWork(client, photos, seller));
