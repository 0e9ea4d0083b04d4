import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { type Client, clientOf } from '#test/acceptance/client.ts';
import { distinctPhoto } from '#test/support/app.ts';
import {
  BROWSER,
  type Browsing,
  expectAccessible,
  expectNoSidewaysScroll,
  openBrowser,
  signIn,
} from '#test/support/browsing.ts';
import { DOUBT_ALL } from '#test/support/policies.ts';
import { type RunningService, startService } from '#test/support/service.ts';

const COUNT = 200;
/** Every photo waits for a person, and all of them may be sent at once. */
const MANY = {
  ...DOUBT_ALL,
  UPLOADS_PER_MINUTE: '10000',
  PHOTOS_PER_ITEM: '200',
  UNFINISHED_UPLOADS_PER_OWNER: '1000',
};
const Queue = z.object({ count: z.number() });
/** Of the last twenty of these keys some refuse, one with words, and one is taken back. */
const ROUND = [
  'a',
  'a',
  '7',
  'a',
  'a',
  'q',
  'a',
  'a',
  'o',
  'a',
  'a',
  'u',
  '6',
  'a',
  'a',
  'a',
  '2',
  'a',
  'a',
  'a',
];

describe.skipIf(BROWSER === undefined)('a queue of two hundred', () => {
  let service: RunningService;
  let client: Client;
  let browsing: Browsing;
  let page: Page;
  let moderator: string;

  beforeAll(async () => {
    service = await startService({ env: MANY });
    client = clientOf(service.url);
    const seller = await client.token('demo-seller', 'seller');
    moderator = await client.token('counter', 'moderator');
    const item = await client.listing(seller);
    for (let sent = 0; sent < COUNT; sent += 1) {
      const { filename, body } = await distinctPhoto();
      const file = { name: filename, type: 'image/jpeg', bytes: body };
      const reply = await client.upload(`/v1/items/${item}/photos`, file, {
        token: seller,
        headers: { prefer: 'respond-async' },
      });
      expect(reply.status).toBe(202);
    }
    const isFilled = async () => expect(await waiting()).toBe(COUNT);
    await vi.waitFor(isFilled, { timeout: 300_000, interval: 500 });
    browsing = await openBrowser(service.url);
    page = browsing.page;
  }, 400_000);
  afterAll(async () => {
    await browsing?.close();
    await service?.stop();
  });

  async function waiting(): Promise<number> {
    return (await client.call('GET', '/v1/admin/review?limit=1', { token: moderator })).as(Queue).count;
  }

  test('can be read by everybody on a phone and on a desk, in light and dark', async () => {
    await signIn(page, 'Demo moderator');
    await page.getByText(`${COUNT} photos wait for a person.`).waitFor();
    for (const colorScheme of ['light', 'dark'] as const)
      for (const width of [360, 1440]) {
        await page.setViewportSize({ width, height: 900 });
        await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
        await shown();
        await expectAccessible(page);
        await expectNoSidewaysScroll(page);
      }
    await page.keyboard.press('h');
    await page.getByRole('region', { name: 'History' }).getByText('Now in review').waitFor();
    await expectAccessible(page);
    await page.keyboard.press('h');
  });

  test('blurs what may disturb until a key asks for it', async () => {
    await page.getByLabel('Blur').selectOption('always');
    await page.getByRole('heading', { name: 'Review' }).click();
    const frame = page.locator('.review__frame');
    expect(await frame.getAttribute('data-veiled')).toBe('true');
    await page.keyboard.press('b');
    expect(await frame.getAttribute('data-veiled')).toBe('false');
    await page.keyboard.press('ArrowDown');
    expect(await frame.getAttribute('data-veiled')).toBe('true');
    await page.reload();
    await shown();
    expect(await frame.getAttribute('data-veiled')).toBe('true');
    await page.getByLabel('Blur').selectOption('never');
    await page.getByRole('heading', { name: 'Review' }).click();
  });

  test('decides the selected ones together', async () => {
    await page.keyboard.press('x');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('x');
    await page.getByRole('region', { name: 'Selected photos' }).getByText('2 selected').waitFor();
    await page.getByRole('button', { name: 'Approve all' }).click();
    await page.getByText('2 photos are settled.').waitFor();
    await page.getByText(`${COUNT - 2} photos wait for a person.`).waitFor();
  });

  test('is cleared by keyboard alone', async ({ annotate }) => {
    const began = Date.now();
    let decided = 0;
    for (let pressed = 0; decided < COUNT - 2; pressed += 1) {
      await shown();
      const key = ROUND[pressed % ROUND.length] ?? 'a';
      if (key === 'u' && decided === 0) continue;
      await page.keyboard.press(key);
      if (key === 'o') {
        await page.getByLabel('Why? The seller reads this.').waitFor();
        await page.keyboard.type('Shows a screen.');
        await page.keyboard.press('Enter');
      }
      decided += key === 'u' ? -1 : 1;
    }
    const minutes = (Date.now() - began) / 60_000;
    await annotate(`${Math.round(decided / minutes)} decisions a minute, each photo shown first`);
    await page.getByText('All clear').waitFor();
    await expect.poll(waiting, { timeout: 60_000 }).toBe(0);
  }, 300_000);

  test('was told of no error, by no third party', () => {
    expect(browsing.complaints).toEqual([]);
    expect([...browsing.hosts]).toEqual([new URL(service.url).host]);
  });

  /** The photo at hand has been loaded and drawn. */
  async function shown(): Promise<void> {
    const isShown = `(() => {
      const image = document.querySelector('.review__fit img');
      return image !== null && image.complete && image.naturalWidth > 0;
    })()`;
    await expect.poll(() => page.evaluate(isShown), { timeout: 30_000, interval: 10 }).toBe(true);
  }
});
