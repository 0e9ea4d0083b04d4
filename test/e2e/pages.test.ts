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
import { htmlNamedJpg } from '#test/support/hostile.ts';
import { photoPath } from '#test/support/photos.ts';
import { type RunningService, startService } from '#test/support/service.ts';
import { DOUBT_ALL } from '#test/support/policies.ts';

const LOOKS = (['light', 'dark'] as const).flatMap((scheme) =>
  [360, 1440].map((width) => ({ scheme, width })),
);
/** With these thresholds every photo waits for a person. */

describe.skipIf(BROWSER === undefined)('every page', () => {
  let service: RunningService;
  let browsing: Browsing;
  let page: Page;
  let itemId: string;

  beforeAll(async () => {
    service = await startService({ env: DOUBT_ALL });
    browsing = await openBrowser(service.url);
    page = browsing.page;
    await signIn(page, 'Demo seller');
    itemId = await createListing(
      page,
      'A bird feeder with a very long title that has to fit into a narrow window somehow',
    );
    const { name, type, bytes } = htmlNamedJpg();
    await page.getByLabel('Choose photos').setInputFiles([photoPath('slings.webp'), photoPath('lake.jpg')]);
    await untilPhotos(page, 2, 'A person is having a look');
    await page.getByLabel('Choose photos').setInputFiles({ name, mimeType: type, buffer: bytes });
    await page.getByText('One photo was not added').waitFor();
    await signIn(page, 'Demo moderator');
    await page.getByText('2 photos wait').waitFor();
    await page.keyboard.press('a');
    await page.getByText('1 photo waits').waitFor();
  });
  afterAll(async () => {
    await browsing?.close();
    await service?.stop();
  });

  describe.each(LOOKS)('at $width px in $scheme', ({ width, scheme }) => {
    beforeAll(async () => {
      await page.setViewportSize({ width, height: 800 });
      await page.emulateMedia({ colorScheme: scheme, reducedMotion: 'reduce' });
    });

    test('browse, listing and large view', async () => {
      await signIn(page, 'Demo buyer');
      await settled('/', page.getByRole('heading', { name: 'Near you' }));
      await settled('/search?color=red', page.getByRole('heading', { name: 'Search photos' }));
      await settled(`/listings/${itemId}`, page.locator('.stage__photo img').first());
      await page.locator('.stage__photo').first().click();
      await page.getByRole('dialog').waitFor();
      await expectAccessible(page);
      await page.keyboard.press('Escape');
      await settled('/listings/no-such-listing', page.getByRole('heading', { name: 'This is not here' }));
      await settled('/no-such-page', page.getByText('There is no page here'));
    });

    test('sign in, my listings, new listing, a listing with photos, account', async () => {
      await settled('/sign-in', page.getByRole('button', { name: 'Demo seller' }));
      await signIn(page, 'Demo seller');
      await settled('/sell', page.getByRole('link', { name: /A bird feeder/ }));
      await page.getByRole('button', { name: 'New listing' }).click();
      await page.getByRole('dialog').waitFor();
      await expectAccessible(page);
      await settled(`/sell/${itemId}`, page.locator('.tile').first());
      await page
        .getByRole('button', { name: /^Describe/ })
        .first()
        .press('Enter');
      await page.getByRole('dialog').waitFor();
      await expectAccessible(page);
      await settled('/account', page.getByRole('button', { name: 'Add a photo' }));
    });

    test('review', async () => {
      await signIn(page, 'Demo moderator');
      await settled('/review', page.getByRole('img', { name: 'Waiting for a decision' }));
      await page.getByRole('button', { name: 'Reject' }).click();
      await expectAccessible(page);
    });
  });

  test('follows the scheme of the system until another is chosen, which is remembered', async () => {
    const scheme = () => page.locator('html').getAttribute('data-mantine-color-scheme');
    await page.emulateMedia({ colorScheme: 'dark' });
    await page.goto('/');
    expect(await scheme()).toBe('dark');
    await page.getByRole('button', { name: 'Use light colours' }).click();
    await expect.poll(scheme).toBe('light');
    await page.reload();
    expect(await scheme()).toBe('light');
  });

  test('can be reached by keyboard alone: the first stop skips to the content', async () => {
    await page.goto('/sign-in');
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
    await page.keyboard.press('Tab');
    const first: unknown = await page.evaluate('document.activeElement.textContent');
    expect(first).toBe('Skip to content');
    await page.keyboard.press('Enter');
    await page.keyboard.press('Tab');
    const next: unknown = await page.evaluate('document.activeElement.textContent');
    expect(next).toContain('Demo seller');
  });

  test('asks no third party for anything, and breaks no content policy', () => {
    const ordinary = /404.*(no-such-listing|profile-photo)|415.*complete/;
    expect(browsing.complaints.filter((text) => !ordinary.test(text))).toEqual([]);
    expect([...browsing.hosts]).toEqual([new URL(service.url).host]);
  });

  async function settled(path: string, sign: { waitFor(): Promise<void> }): Promise<void> {
    await page.goto(path);
    await sign.waitFor();
    await expectAccessible(page);
    await expectNoSidewaysScroll(page);
  }
});
