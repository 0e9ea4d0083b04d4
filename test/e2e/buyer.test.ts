import type { Page } from 'playwright-core';
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

const PHOTOS = ['nuthatch.jpg', 'waterfall.jpg', 'slings.webp'];

describe.skipIf(BROWSER === undefined)('a buyer in the browser', () => {
  let service: RunningService;
  let browsing: Browsing;
  let page: Page;

  beforeAll(async () => {
    service = await startService();
    browsing = await openBrowser(service.url);
    page = browsing.page;
    await signIn(page, 'Demo seller');
    await createListing(page, 'Binoculars');
    await page.getByLabel('Choose photos').setInputFiles(PHOTOS.map(photoPath));
    await untilPhotos(page, PHOTOS.length);
    await signIn(page, 'Demo buyer');
  });
  afterAll(async () => {
    await browsing?.close();
    await service?.stop();
  });

  test('finds the listing and gets its photos in a size and format that fit', async () => {
    await page.goto('/');
    await page.getByRole('link', { name: /Binoculars/ }).click();
    await page.getByRole('heading', { name: 'Binoculars' }).waitFor();
    const first = page.locator('.stage__photo img').first();
    await expect.poll(() => first.evaluate((image) => Number(Object(image).naturalWidth))).toBeGreaterThan(0);
    expect(await first.evaluate((image) => String(Object(image).currentSrc))).toMatch(
      /\/cdn\/items\/(large|medium)\/.*\.webp$/,
    );
    expect(await first.getAttribute('width')).toBe('4000');
  });

  test('loads photos only when they are near, into room that was kept for them', async () => {
    const images = page.locator('.stage__photo img');
    expect(await images.evaluateAll((all) => all.map((image) => image.getAttribute('loading')))).toEqual([
      'eager',
      'lazy',
      'lazy',
    ]);
    const shift: unknown = await page.evaluate(`new Promise((resolve) => {
      let total = 0;
      const observer = new PerformanceObserver((list) => { for (const entry of list.getEntries()) if (!entry.hadRecentInput) total += entry.value; });
      observer.observe({ type: 'layout-shift', buffered: true });
      requestAnimationFrame(() => requestAnimationFrame(() => resolve(total)));
    })`);
    expect(Number(shift)).toBeLessThan(0.05);
  });

  test('looks closer and goes on by keyboard, and Escape brings back the listing', async () => {
    await page.getByRole('button', { name: /photo 1 of 3.*Open large/ }).press('Enter');
    const dialog = page.getByRole('dialog');
    await dialog.waitFor();
    await page.keyboard.press('ArrowRight');
    await dialog.getByRole('img', { name: 'Binoculars, photo 2 of 3' }).waitFor();
    await page.keyboard.press('+');
    await dialog.getByRole('button', { name: 'Show all of the photo' }).waitFor();
    expect(await page.locator('.zoom__sheet').getAttribute('style')).toContain('scale(1.6)');
    await page.keyboard.press('0');
    await dialog.getByRole('button', { name: 'Come closer' }).waitFor();
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
    const focused: unknown = await page.evaluate('document.activeElement?.className');
    expect(focused).toBe('stage__photo');
  });

  test('swipes in the large view and comes closer with a double tap', async () => {
    await page.locator('.stage__photo').first().click();
    const dialog = page.getByRole('dialog');
    await page.mouse.move(1000, 400);
    await page.mouse.down();
    await page.mouse.move(700, 410, { steps: 4 });
    await page.mouse.up();
    await dialog.getByRole('img', { name: 'Binoculars, photo 2 of 3' }).waitFor();
    await page.mouse.dblclick(720, 450);
    await dialog.getByRole('button', { name: 'Show all of the photo' }).waitFor();
    await dialog.getByRole('button', { name: 'Close' }).click();
    await dialog.waitFor({ state: 'detached' });
  });

  test('reports a photo, and says which and why', async () => {
    await page.getByRole('button', { name: 'Report a photo' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.waitFor();
    await expectAccessible(page);
    await dialog.getByLabel('Which photo?').selectOption({ index: 1 });
    await dialog.getByLabel('What is wrong?').selectOption('stolen_photo');
    await dialog.getByLabel('In a few words, if you like').fill('I took it.');
    await dialog.getByRole('button', { name: 'Send report' }).click();
    await page.getByText('Thank you. A person will have a look.').waitFor();
    await dialog.waitFor({ state: 'detached' });

    const listing = page.url();
    await signIn(page, 'Demo moderator');
    await page.getByText('1 photo waits for a person.').waitFor();
    const article = page.getByRole('article');
    expect(await article.innerText()).toMatch(/Reported[\s\S]*Public now[\s\S]*1 × Somebody else’s photo/);
    await page.keyboard.press('a');
    await page.getByText('All clear').waitFor();
    await signIn(page, 'Demo buyer');
    await page.goto(listing);
    await expect.poll(() => page.locator('.stage__photo').count()).toBe(3);
  });

  test('finds photos by words, color and shape, and gets from one to its listing', async () => {
    const photos = page.getByRole('list', { name: 'Photos' }).getByRole('listitem');
    const isPressed = (name: string) =>
      page.getByRole('button', { name, exact: true }).getAttribute('aria-pressed');
    await page.goto('/');
    await page.getByRole('searchbox', { name: 'Search photos' }).fill('binoc');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: '“binoc”' }).waitFor();
    await expect.poll(() => photos.count()).toBe(PHOTOS.length);
    await expect
      .poll(() =>
        photos
          .first()
          .locator('img')
          .evaluate((image) => Number(Object(image).naturalWidth)),
      )
      .toBeGreaterThan(0);
    await expectAccessible(page);
    await expectNoSidewaysScroll(page);

    await page.getByRole('button', { name: 'white', exact: true }).click();
    await expect.poll(() => photos.count()).toBe(1);
    expect(new URL(page.url()).search).toBe('?q=binoc&color=white');
    expect(await isPressed('white')).toBe('true');
    await page.getByRole('button', { name: 'square', exact: true }).click();
    await page.getByRole('heading', { name: 'Nothing found' }).waitFor();
    await page.goBack();
    await page.getByRole('button', { name: 'white', exact: true }).click();
    await expect.poll(() => photos.count()).toBe(PHOTOS.length);

    await page.getByRole('searchbox').fill('binocolars');
    await page.getByRole('button', { name: 'Search' }).click();
    await page.getByText('Nothing has just these words. 3 photos with words like them.').waitFor();
    await photos.first().getByRole('link').click();
    await page.getByRole('heading', { name: 'Binoculars' }).waitFor();
  });

  test('cannot change anything, and is told so when a listing is not there', async () => {
    expect(await page.getByRole('link', { name: 'Change photos' }).count()).toBe(0);
    await page.goto('/listings/no-such-listing');
    await page.getByRole('heading', { name: 'This is not here' }).waitFor();
  });

  test('was told of no error, by no third party', () => {
    expect(browsing.complaints.filter((text) => !text.includes('no-such-listing'))).toEqual([]);
    expect([...browsing.hosts]).toEqual([new URL(service.url).host]);
  });
});
