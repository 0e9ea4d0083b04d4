import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { itemId } from '#src/domain/ids.ts';
import { type Client, clientOf } from '#test/acceptance/client.ts';
import { ageListing, knowViews } from '#test/support/ageing.ts';
import { until, urlOf } from '#test/support/app.ts';
import {
  BROWSER,
  type Browsing,
  createListing,
  expectAccessible,
  openBrowser,
  signIn,
  untilPhotos,
} from '#test/support/browsing.ts';
import { createTestDatabase, type TestDatabase } from '#test/support/database.ts';
import { photoPath } from '#test/support/photos.ts';
import { type RunningService, startService } from '#test/support/service.ts';

const Runs = z.object({ run: z.object({ state: z.string() }) });

describe.skipIf(BROWSER === undefined)('a listing that nobody looked at for a year, in the browser', () => {
  let database: TestDatabase;
  let service: RunningService;
  let client: Client;
  let browsing: Browsing;
  let page: Page;
  let item: string;

  beforeAll(async () => {
    database = await createTestDatabase();
    service = await startService({ env: { DATABASE_URL: urlOf(database) } });
    client = clientOf(service.url);
    browsing = await openBrowser(service.url);
    page = browsing.page;
    await signIn(page, 'Demo seller');
    item = await createListing(page, 'Slide projector');
    await page.getByLabel('Choose photos').setInputFiles([photoPath('nuthatch.jpg')]);
    await untilPhotos(page, 1);
    await knowViews(database);
    await ageListing(database, itemId(item), 400);
    await runLifecycle(client);
  });
  afterAll(async () => {
    await browsing?.close();
    await service?.stop();
    await database?.close();
  });

  test('tells its seller that the full size is archived', async () => {
    await page.reload();
    await untilPhotos(page, 1, 'Full size archived');
    await expectAccessible(page);
  });

  test('shows a buyer the largest that is at hand, and says so', async () => {
    await signIn(page, 'Demo buyer');
    await page.goto(`/listings/${item}`);
    await page.getByRole('button', { name: /photo 1 of 1.*Open large/ }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('The full size is archived.').waitFor();
    const image = dialog.getByRole('img', { name: 'Slide projector, photo 1 of 1' });
    await expect.poll(() => image.evaluate((shown) => Number(Object(shown).naturalWidth))).toBe(1200);
    await expectAccessible(page);
    await page.keyboard.press('Escape');
  });

  test('gives the full size back to a seller who asks for it', async () => {
    await signIn(page, 'Demo seller');
    await page.goto(`/sell/${item}`);
    await untilPhotos(page, 1, 'Full size archived');
    await page.getByRole('button', { name: 'Bring back the full size of photo 1 of 1' }).press('Enter');
    await page.getByText(/The full size is (back|being brought back)/).waitFor();
    await untilPhotos(page, 1);
    await page.goto(`/listings/${item}`);
    await page.getByRole('button', { name: /photo 1 of 1.*Open large/ }).click();
    const images = page.getByRole('dialog').getByRole('img', { name: 'Slide projector, photo 1 of 1' });
    await expect
      .poll(() => images.evaluate((shown) => Number(Object(shown).naturalWidth)))
      .toBeGreaterThan(1200);
    expect(await page.getByText('archived').count()).toBe(0);
  });

  test('meets no error', () => {
    expect(browsing.complaints).toEqual([]);
  });
});

/** Carries out the policies, as an admin, and waits for the end. */
async function runLifecycle(client: Client): Promise<void> {
  const token = await client.token('admin-1', 'admin');
  const asked = await client.call('POST', '/v1/admin/lifecycle/run', { token, json: { dryRun: false } });
  const { id } = z.object({ id: z.string() }).parse(JSON.parse(asked.body.toString()));
  await until('the lifecycle run to end', async () => {
    const { run } = (await client.call('GET', `/v1/admin/runs/${id}`, { token })).as(Runs);
    return run.state === 'succeeded' ? true : null;
  });
}
