import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  BROWSER,
  type Browsing,
  createListing,
  openBrowser,
  signIn,
  untilPhotos,
} from '#test/support/browsing.ts';
import { photoPath } from '#test/support/photos.ts';
import { type RunningService, startService } from '#test/support/service.ts';
import { DOUBT_ALL } from '#test/support/policies.ts';

const PHOTOS = ['lake.jpg', 'slings.webp', 'waterfall.jpg'];
/** With these thresholds the checks are sure of nothing: every photo waits for a person. */

describe.skipIf(BROWSER === undefined)('a moderator in the browser', () => {
  let service: RunningService;
  let browsing: Browsing;
  let page: Page;
  let itemId: string;

  beforeAll(async () => {
    service = await startService({ env: DOUBT_ALL });
    browsing = await openBrowser(service.url);
    page = browsing.page;
    await signIn(page, 'Demo seller');
    itemId = await createListing(page, 'Rope');
    await page.getByLabel('Choose photos').setInputFiles(PHOTOS.map(photoPath));
    await untilPhotos(page, PHOTOS.length, 'A person is having a look');
    await signIn(page, 'Demo moderator');
  });
  afterAll(async () => {
    await browsing?.close();
    await service?.stop();
  });

  test('decides before anything is public', async () => {
    expect(await publicPhotos()).toEqual([]);
  });

  test('sees what waits, large, and goes through it with the arrows', async () => {
    await page.getByText('3 photos wait for a person.').waitFor();
    const picture = page.getByRole('img', { name: 'Waiting for a decision' });
    await expect
      .poll(() => picture.evaluate((image) => Number(Object(image).naturalWidth)))
      .toBeGreaterThan(300);
    const first = await picture.getAttribute('src');
    await page.keyboard.press('ArrowDown');
    await expect.poll(() => picture.getAttribute('src')).not.toBe(first);
    await page.keyboard.press('ArrowUp');
    await expect.poll(() => picture.getAttribute('src')).toBe(first);
  });

  test('approves with one key, and the photo is public', async () => {
    await page.keyboard.press('a');
    await page.getByText('2 photos wait for a person.').waitFor();
    await page.keyboard.press('u');
    await page.getByText('3 photos wait for a person.').waitFor();
    expect(await publicPhotos()).toEqual([]);
    await page.keyboard.press('a');
    await page.getByText('2 photos wait for a person.').waitFor();
    await expect
      .poll(async () => (await publicPhotos()).map(({ state }) => state), { timeout: 30_000 })
      .toEqual(['ready']);
  });

  test('rejects with a reason that the seller reads', async () => {
    await page.keyboard.press('r');
    await page.getByLabel('Why? The seller reads this.').fill('Shows another thing than the title says.');
    await page.getByRole('button', { name: 'Reject the photo' }).click();
    await page.getByText('1 photo waits for a person.').waitFor();
    await signIn(page, 'Demo seller');
    await page.goto(`/sell/${itemId}`);
    const refused = page.getByRole('region', { name: 'One photo was not added' });
    await refused.waitFor();
    expect(await refused.innerText()).toContain('Shows another thing than the title says.');
  });

  test('gets a photo again when its seller asks for a second look', async () => {
    await page.getByRole('button', { name: /Ask for a second look/ }).click();
    await page.getByLabel('Why is this photo all right?').fill('It is the same rope, rolled up.');
    await page.getByRole('button', { name: 'Send' }).click();
    await page.getByText('Sent. A person will have a look.').waitFor();
    await signIn(page, 'Demo moderator');
    await page.getByText('2 photos wait for a person.').waitFor();
    await page.getByRole('button', { name: /Rope/ }).first().click();
    await expect
      .poll(() => page.getByRole('article').innerText())
      .toContain('It is the same rope, rolled up.');
  });

  test('was told of no error, by no third party', () => {
    expect(browsing.complaints).toEqual([]);
    expect([...browsing.hosts]).toEqual([new URL(service.url).host]);
  });

  async function publicPhotos(): Promise<{ id: string; state: string }[]> {
    const { photos } = Object(await (await fetch(`${service.url}/v1/items/${itemId}/photos`)).json());
    return photos;
  }
});
