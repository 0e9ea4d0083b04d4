import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import {
  BROWSER,
  type Browsing,
  createListing,
  openBrowser,
  signIn,
  untilPhotos,
} from '#test/support/browsing.ts';
import { type CutProxy, startCutProxy } from '#test/support/cut-proxy.ts';
import { largePhoto, photoPath } from '#test/support/photos.ts';
import { type RunningService, startService } from '#test/support/service.ts';

const Owned = z.object({
  photos: z.array(z.object({ width: z.number(), height: z.number(), sha256: z.string() })),
});

describe.skipIf(BROWSER === undefined)('uploads from the browser', () => {
  let service: RunningService;
  let proxy: CutProxy;
  let browsing: Browsing;
  let page: Page;

  beforeAll(async () => {
    service = await startService();
    proxy = await startCutProxy(service.url);
    browsing = await openBrowser(proxy.url);
    page = browsing.page;
    await signIn(page, 'Demo seller');
  });
  afterAll(async () => {
    await browsing?.close();
    await proxy?.close();
    await service?.stop();
  });

  test('photos can be dropped anywhere on the page, and pasted', async () => {
    await createListing(page, 'Dropped and pasted');
    await deliver(page, 'drop', 'slings.webp');
    await untilPhotos(page, 1);
    await deliver(page, 'paste', 'lake.jpg');
    await untilPhotos(page, 2);
  });

  test('a photo over 10 MB is made smaller on the device, which is said, and arrives upright in full', async () => {
    const itemId = await createListing(page, 'Too large');
    const buffer = Buffer.concat([await largePhoto(1), Buffer.alloc(7_000_000)]);
    await page
      .getByLabel('Choose photos')
      .setInputFiles({ name: 'large.jpg', mimeType: 'image/jpeg', buffer });
    await untilPhotos(page, 1);
    await page.getByText(/Made smaller on this device: 11\.\d MB → \d\.\d MB\./).waitFor();
    expect((await owned(itemId)).map(({ width, height }) => [width, height])).toEqual([[4000, 3000]]);
  });

  test('a HEIC over 10 MB, which browsers cannot make smaller, is refused with what to do', async () => {
    await createListing(page, 'Too large HEIC');
    const heic = await readFile(photoPath('iphone-8-plus-arrow.heic'));
    const buffer = Buffer.concat([heic, Buffer.alloc(10_000_000)]);
    await page
      .getByLabel('Choose photos')
      .setInputFiles({ name: 'large.heic', mimeType: 'image/heic', buffer });
    await page.getByText(/browsers cannot make HEIC smaller.*most compatible/).waitFor();
  });

  test('an upload goes on where it stopped when the connection comes back, with the same bytes', async () => {
    const itemId = await createListing(page, 'On a train');
    const offsets: number[] = [];
    page.on('request', (request) => {
      const offset = request.headers()['upload-offset'];
      if (request.method() === 'PATCH' && offset !== undefined) offsets.push(Number(offset));
    });
    const buffer = await largePhoto(2);
    const cut = proxy.cutAfter(3_000_000);
    await page
      .getByLabel('Choose photos')
      .setInputFiles({ name: 'train.jpg', mimeType: 'image/jpeg', buffer });
    await cut;
    await page.getByText('There is no connection.').waitFor();
    await proxy.restore();
    await untilPhotos(page, 1);
    expect(offsets[0]).toBe(0);
    expect(offsets.at(-1)).toBeGreaterThan(500_000);
    expect((await owned(itemId)).map(({ sha256 }) => sha256)).toEqual([
      createHash('sha256').update(buffer).digest('hex'),
    ]);
  });

  /** What the seller's own view of a listing says. */
  async function owned(itemId: string) {
    const issued = await fetch(`${service.url}/dev/token`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ sub: 'demo-seller', roles: ['seller'] }),
    });
    const { token } = z.object({ token: z.string() }).parse(await issued.json());
    const headers = { authorization: `Bearer ${token}` };
    const answer = await fetch(`${service.url}/v1/items/${itemId}/photos`, { headers });
    return Owned.parse(await answer.json()).photos;
  }
});

/** Drops or pastes a photo as the system would: an event that carries files. */
async function deliver(page: Page, how: 'drop' | 'paste', name: string): Promise<void> {
  const bytes = (await readFile(photoPath(name))).toString('base64');
  const type = name.endsWith('webp') ? 'image/webp' : 'image/jpeg';
  await page.evaluate(`{
    const bytes = Uint8Array.from(atob(${JSON.stringify(bytes)}), (char) => char.charCodeAt(0));
    const data = new DataTransfer();
    data.items.add(new File([bytes], ${JSON.stringify(name)}, { type: ${JSON.stringify(type)} }));
    const event = ${JSON.stringify(how)} === 'drop'
      ? new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true })
      : new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true });
    document.body.dispatchEvent(event);
  }`);
}
