import { readFile } from 'node:fs/promises';
import type { Page } from 'playwright-core';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  BROWSER,
  type Browsing,
  createListing,
  expectAccessible,
  expectNoSidewaysScroll,
  openBrowser,
  signIn,
  untilPhotos,
} from '#test/support/browsing.ts';
import { photoPath } from '#test/support/photos.ts';
import { type RunningService, startService } from '#test/support/service.ts';

describe.skipIf(BROWSER === undefined)('a seller whose photos could be better', () => {
  let service: RunningService;
  let browsing: Browsing;
  let page: Page;
  let itemId: string;

  beforeAll(async () => {
    service = await startService();
    browsing = await openBrowser(service.url);
    page = browsing.page;
    await signIn(page, 'Demo seller');
    itemId = await createListing(page, 'A path in the mountains');
    const photo = await readFile(photoPath('mountains.jpg'));
    const upright = await sharp(photo).autoOrient().resize(1600).toBuffer();
    const files = [
      { name: 'blurred.jpg', buffer: await sharp(upright).blur(6).jpeg().toBuffer() },
      { name: 'dark.jpg', buffer: await sharp(upright).linear(0.15, 0).jpeg().toBuffer() },
      { name: 'good.jpg', buffer: photo },
    ];
    for (const [at, file] of files.entries()) {
      await page.getByLabel('Choose photos').setInputFiles({ ...file, mimeType: 'image/jpeg' });
      await untilPhotos(page, at + 1);
    }
  });
  afterAll(async () => {
    await browsing?.close();
    await service?.stop();
  });

  test('reads on each photo what to do, in plain words', async () => {
    const notes = page.locator('.tile').nth(0).locator('.tile__note');
    await notes.getByText('Hold the phone still').waitFor();
    await page.locator('.tile').nth(1).getByText('Take it again by a window').waitFor();
    expect(await page.locator('.tile').nth(2).locator('.tile__note').count()).toBe(0);
  });

  test('is shown the same on a phone and by night, for everybody', async () => {
    await page.getByRole('complementary', { name: 'Suggested cover' }).waitFor();
    for (const width of [360, 1440])
      for (const scheme of ['light', 'dark'] as const) {
        await page.setViewportSize({ width, height: 900 });
        await switchTo(scheme);
        await expectNoSidewaysScroll(page);
        await expectAccessible(page);
      }
    await switchTo('light');
  });

  test('takes the suggested cover with one click', async () => {
    const suggestion = page.getByRole('complementary', { name: 'Suggested cover' });
    expect(await suggestion.innerText()).toContain('Photo 3 would make a better cover');
    const good = await page.locator('.tile').nth(2).getAttribute('data-photo');
    await suggestion.getByRole('button', { name: 'Use it as cover' }).click();
    await suggestion.waitFor({ state: 'detached' });
    expect(await page.locator('.tile').nth(0).getAttribute('data-photo')).toBe(good);
    await expect.poll(async () => (await seenByBuyers()).map(({ id }) => id)[0]).toBe(good);
  });

  test('sees what was removed from a photo, and keeps the receipt', async () => {
    await page.getByRole('button', { name: /^Privacy of photo 1/ }).click();
    const dialog = page.getByRole('dialog', { name: 'Privacy of this photo' });
    await dialog.getByText(/^Location, camera details and \d+ more were removed\.$/).waitFor();
    await dialog.getByText('All 7 files made of your photo were read again').waitFor();
    await page.setViewportSize({ width: 360, height: 900 });
    await switchTo('dark');
    await expectAccessible(page);
    for (const [button, ending, words] of [
      ['Download receipt', 'txt', /^Privacy receipt\n/],
      ['Data (JSON)', 'json', /^\{"statement":\{"version":1/],
    ] as const) {
      const arriving = page.waitForEvent('download');
      await dialog.getByRole('button', { name: button }).click();
      const download = await arriving;
      expect(download.suggestedFilename()).toMatch(new RegExp(`^privacy-receipt-[0-9a-f-]{36}\\.${ending}$`));
      expect(await readFile(await download.path(), 'utf8')).toMatch(words);
    }
    await dialog.getByRole('button', { name: 'Close' }).click();
    await dialog.waitFor({ state: 'detached' });
  });

  test('is the only one who reads hints, and was told of no error', async () => {
    expect((await seenByBuyers()).flatMap(({ warnings }) => warnings)).toEqual([]);
    expect(browsing.complaints.filter((text) => !/404.*profile-photo/.test(text))).toEqual([]);
    expect([...browsing.hosts]).toEqual([new URL(service.url).host]);
  });

  /** Resolves once the page has its new colours. */
  async function switchTo(scheme: 'light' | 'dark'): Promise<void> {
    await page.emulateMedia({ colorScheme: scheme });
    await page.locator(`html[data-mantine-color-scheme="${scheme}"]`).waitFor({ state: 'attached' });
  }

  async function seenByBuyers(): Promise<{ id: string; warnings: string[] }[]> {
    const response = await fetch(`${service.url}/v1/items/${itemId}/photos`);
    const { photos } = Object(await response.json());
    return photos;
  }
});
