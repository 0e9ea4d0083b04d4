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
import { htmlNamedJpg } from '#test/support/hostile.ts';
import { photoPath } from '#test/support/photos.ts';
import { type RunningService, startService } from '#test/support/service.ts';

const PHOTOS = ['mountains.jpg', 'lake.jpg', 'slings.webp', 'iphone-8-plus-arrow.heic'];

describe.skipIf(BROWSER === undefined)('a seller in the browser', () => {
  let service: RunningService;
  let browsing: Browsing;
  let page: Page;
  let itemId: string;

  beforeAll(async () => {
    service = await startService();
    browsing = await openBrowser(service.url);
    page = browsing.page;
    await signIn(page, 'Demo seller');
    itemId = await createListing(page, 'A weekend outside');
  });
  afterAll(async () => {
    await browsing?.close();
    await service?.stop();
  });

  test('sees each of several photos on its way, and ready in the order they were chosen', async () => {
    const seen = await collectStages(page);
    await page.getByLabel('Choose photos').setInputFiles(PHOTOS.map(photoPath));
    await untilPhotos(page, PHOTOS.length);
    const words = await seen();
    expect(words.some((text) => text.startsWith('Sending'))).toBe(true);
    expect(
      words.filter((text) => /Looking|Scanning|Opening|Checking|Removing|Making/.test(text)).length,
    ).toBeGreaterThan(1);
    expect(await page.getByText('Cover', { exact: true }).count()).toBe(1);
    const answer = await publicPhotos();
    expect(answer.map(({ state }) => state)).toEqual(PHOTOS.map(() => 'ready'));
  });

  test('reads why a file was refused and what to do, and can take it off the list', async () => {
    const { name, type, bytes } = htmlNamedJpg();
    await page.getByLabel('Choose photos').setInputFiles({ name, mimeType: type, buffer: bytes });
    const refused = page.getByRole('region', { name: 'One photo was not added' });
    await refused.locator('.refused__name', { hasText: name }).waitFor();
    expect(await refused.innerText()).toMatch(/JPEG|photo/);
    await refused.getByRole('button', { name: 'Remove' }).click();
    await refused.waitFor({ state: 'detached' });
    await untilPhotos(page, PHOTOS.length);
  });

  test('changes the order with the keyboard alone, is told each step, and the order is kept', async () => {
    const before = await order(page);
    await page.locator('[data-handle]').first().focus();
    await page.keyboard.press('Space');
    await page.getByText(/Photo taken.*Place 1 of 4/).waitFor({ state: 'attached' });
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('ArrowRight');
    await page.getByText('Photo moved. Place 3 of 4.').waitFor({ state: 'attached' });
    const saved = page.waitForResponse(
      (response) => response.url().endsWith('/photos/order') && response.ok(),
    );
    await page.keyboard.press('Space');
    await saved;
    const [a, b, c, d] = before;
    expect(await order(page)).toEqual([b, c, a, d]);
    expect((await publicPhotos()).map(({ id }) => id)).toEqual([b, c, a, d]);
  });

  test('puts a photo back with Escape', async () => {
    const before = await order(page);
    await page.locator('[data-handle]').first().focus();
    await page.keyboard.press('Enter');
    await page.keyboard.press('End');
    await page.keyboard.press('Escape');
    await page.getByText('Photo put back. Place 1 of 4.').waitFor({ state: 'attached' });
    expect(await order(page)).toEqual(before);
  });

  test('drags a photo with the mouse', async () => {
    const before = await order(page);
    const from = await page.locator('.tile').nth(3).boundingBox();
    const to = await page.locator('.tile').nth(0).boundingBox();
    if (from === null || to === null) throw new Error('Expected two photos in view');
    const saved = page.waitForResponse(
      (response) => response.url().endsWith('/photos/order') && response.ok(),
    );
    await page.mouse.move(from.x + from.width / 2, from.y + from.height / 2);
    await page.mouse.down();
    await page.mouse.move(to.x + to.width / 2, to.y + to.height / 2, { steps: 8 });
    await page.mouse.up();
    await saved;
    const [a, b, c, d] = before;
    expect(await order(page)).toEqual([d, a, b, c]);
  });

  test('keeps an order that was made while another window stored another one', async () => {
    const before = await order(page);
    await page.route(
      '**/photos/order',
      async (route) => {
        await storeOrder(before.toReversed());
        await route.continue();
      },
      { times: 1 },
    );
    await page.locator('[data-handle]').first().focus();
    await page.keyboard.press('Space');
    await page.keyboard.press('End');
    const answers: number[] = [];
    page.on(
      'response',
      (response) => response.url().endsWith('/photos/order') && answers.push(response.status()),
    );
    await page.keyboard.press('Space');
    await expect.poll(() => answers).toEqual([412, 200]);
    const [a, b, c, d] = before;
    await expect.poll(async () => (await publicPhotos()).map(({ id }) => id)).toEqual([b, c, d, a]);
    expect(await order(page)).toEqual([b, c, d, a]);
  });

  test('describes a photo, and buyers get the words', async () => {
    await page
      .getByRole('button', { name: /^Describe/ })
      .first()
      .click();
    await page.getByLabel('What can be seen?').fill('A path up to the mountains');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    expect((await publicPhotos())[0]?.alt).toBe('A path up to the mountains');
  });

  test('takes a deletion back, and deletes for good by leaving the page', async () => {
    const before = await order(page);
    await page.locator('.tile [data-delete]').nth(1).click();
    await page.getByText('3 photos').waitFor();
    await page.getByRole('button', { name: 'Undo' }).last().click();
    await page.getByText('4 photos').waitFor();
    expect(await order(page)).toEqual(before);

    await page.locator('.tile [data-delete]').nth(1).click();
    await page.getByText('3 photos').waitFor();
    await page.getByRole('link', { name: 'My listings' }).click();
    await expect
      .poll(async () => (await publicPhotos()).map(({ id }) => id))
      .toEqual(before.filter((_, at) => at !== 1));
  });

  test('has a profile photo, replaces it and takes it away', async () => {
    await page.goto('/account');
    for (const name of ['nuthatch.jpg', 'dogs.jpg']) {
      await page.getByLabel('Choose a profile photo').setInputFiles(photoPath(name));
      await page.getByRole('img', { name: 'Your profile photo' }).waitFor();
      await page.getByText('People see it beside your listings.').waitFor();
    }
    await page.getByRole('button', { name: 'Remove' }).click();
    await page.getByText('A photo of you helps').waitFor();
    const after = await fetch(`${service.url}/v1/users/demo-seller/profile-photo`);
    expect(after.status).toBe(404);
  });

  test('deletes a listing after being asked, and it is gone for everybody', async () => {
    const other = await createListing(page, 'Never mind');
    await page.getByRole('button', { name: 'Delete', exact: true }).click();
    await page.getByRole('button', { name: 'Delete listing' }).click();
    await page.waitForURL('**/sell');
    expect(await page.getByRole('link', { name: /Never mind/ }).count()).toBe(0);
    expect((await fetch(`${service.url}/v1/items/${other}`)).status).toBe(404);
  });

  test('was told of no error, by no third party', async () => {
    // No profile photo yet, an order stored by another window and a refused file are ordinary answers; browsers log them.
    const ordinary = /404.*profile-photo|412.*photos.order|415.*complete/;
    expect(browsing.complaints.filter((text) => !ordinary.test(text))).toEqual([]);
    expect([...browsing.hosts]).toEqual([new URL(service.url).host]);
  });

  async function publicPhotos(): Promise<{ id: string; state: string; alt: string | null }[]> {
    const response = await fetch(`${service.url}/v1/items/${itemId}/photos`);
    const { photos } = Object(await response.json());
    return photos;
  }

  /** Stores an order as another window of the same seller would. */
  async function storeOrder(ids: readonly string[]): Promise<void> {
    const json = { 'content-type': 'application/json' };
    const identity = JSON.stringify({ sub: 'demo-seller', roles: ['seller'] });
    const issued = await fetch(`${service.url}/dev/token`, { method: 'POST', headers: json, body: identity });
    const { token } = Object(await issued.json());
    const stored = await fetch(`${service.url}/v1/items/${itemId}/photos/order`, {
      method: 'PUT',
      headers: { ...json, authorization: `Bearer ${token}` },
      body: JSON.stringify({ order: ids }),
    });
    if (!stored.ok) throw new Error(`Expected the order to be stored but got ${stored.status}`);
  }
});

/** Notes every text of the progress tiles from now on. */
async function collectStages(page: Page): Promise<() => Promise<string[]>> {
  await page.evaluate(`
    window.stagesSeen = new Set();
    new MutationObserver(() => {
      for (const stage of document.querySelectorAll('.tile__stage')) window.stagesSeen.add(stage.textContent);
    }).observe(document.body, { subtree: true, childList: true, characterData: true });
  `);
  return async () => Object(await page.evaluate('[...window.stagesSeen]'));
}

async function order(page: Page): Promise<string[]> {
  return page
    .locator('.tile')
    .evaluateAll((tiles) => tiles.map((tile) => tile.getAttribute('data-photo') ?? ''));
}
