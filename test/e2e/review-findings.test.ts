import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { addFindings } from '#src/db/review-cases.ts';
import { Photo } from '#src/http/schemas.ts';
import { clientOf, photoFile } from '#test/acceptance/client.ts';
import { urlOf } from '#test/support/app.ts';
import { BROWSER, type Browsing, expectAccessible, openBrowser, signIn } from '#test/support/browsing.ts';
import { createTestDatabase, type TestDatabase } from '#test/support/database.ts';
import { DOUBT_ALL } from '#test/support/policies.ts';
import { type RunningService, startService } from '#test/support/service.ts';

const REGION = { left: 0.25, top: 0.5, width: 0.5, height: 0.25 };

describe.skipIf(BROWSER === undefined)('what was found in a photo', () => {
  let database: TestDatabase;
  let service: RunningService;
  let browsing: Browsing;
  let [first, second, third] = ['', '', ''];

  beforeAll(async () => {
    database = await createTestDatabase();
    service = await startService({ env: { ...DOUBT_ALL, DATABASE_URL: urlOf(database) } });
    const client = clientOf(service.url);
    const uploaded = async (seller: string, name: string) => {
      const token = await client.token(seller, 'seller');
      const path = `/v1/items/${await client.listing(token)}/photos`;
      return (await client.upload(path, await photoFile(name), { token })).as(Photo).id;
    };
    first = await uploaded('seller-one', 'lake.jpg');
    second = await uploaded('seller-two', 'dogs.jpg');
    third = await uploaded('seller-three', 'stream.jpg');
    const unknown = { confidence: null, model: null, version: null };
    await addFindings(database.db, first, [
      { source: 'contact', label: 'phone number', region: REGION, details: {}, ...unknown },
      ...[third, second].map((fileId, index) => ({
        source: 'fingerprint' as const,
        label: 'same_photo_elsewhere',
        region: null,
        details: { fileId },
        ...unknown,
        confidence: 0.8 + index / 10,
      })),
    ]);
    browsing = await openBrowser(service.url);
    await signIn(browsing.page, 'Demo moderator');
  });
  afterAll(async () => {
    await browsing?.close();
    await service?.stop();
    await database?.close();
  });

  test('is shown beside what no machine looks for, and an alarm when photos wait too long', async () => {
    const { page } = browsing;
    await page.getByText('What machines do not see here').click();
    const local = page.getByText(/^local looks for pornography, .*sees nothing of nudity, knives/);
    await local.waitFor();
    expect(await local.textContent()).toContain('who is shown and how old');
    expect(await page.getByRole('alert').count()).toBe(0);
    const since = new Date(Date.now() - 30 * 3_600_000);
    await database.db
      .updateTable('review_cases')
      .set({ opened_at: since })
      .where('file_id', '=', first)
      .execute();
    await page.reload();
    await page.getByRole('alert').getByText('1 photo has waited for more than 24 hours').waitFor();
    await page.getByText('What machines do not see here').click();
    await expectAccessible(page);
  });

  test('is drawn where it is in the photo', async () => {
    const { page } = browsing;
    await page.getByRole('img', { name: 'Waiting for a decision' }).waitFor();
    const photo = await page.locator('.review__fit').boundingBox();
    const place = await page.locator('.review__place').boundingBox();
    if (photo === null || place === null) throw new Error('Expected a photo and a place in it');
    expect(photo.width / photo.height).toBeCloseTo(await naturalRatio(), 1);
    expect((place.x - photo.x) / photo.width).toBeCloseTo(REGION.left, 2);
    expect((place.y - photo.y) / photo.height).toBeCloseTo(REGION.top, 2);
    expect(place.width / photo.width).toBeCloseTo(REGION.width, 2);
    expect(place.height / photo.height).toBeCloseTo(REGION.height, 2);
  });

  test('is shown beside each photo it looks like, and what came of comparing them is kept', async () => {
    const { page } = browsing;
    const other = page.getByRole('img', { name: 'The other one' });
    await expect.poll(() => other.evaluate((image) => Number(Object(image).naturalWidth))).toBeGreaterThan(0);
    await expectAccessible(page);
    const before = await other.getAttribute('src');
    await page.getByRole('button', { name: 'This one is the copy' }).click();
    // Called a copy it cannot be approved, neither by key nor by pointer.
    expect(await page.getByRole('button', { name: 'Approve' }).isDisabled()).toBe(true);
    await page.keyboard.press('a');
    await page.getByText('You call it a copy').waitFor();
    await page.getByRole('button', { name: 'Same owner' }).click();
    await page.getByRole('button', { name: '1 of 2' }).waitFor();
    await page.keyboard.press('n');
    await page.getByRole('button', { name: '2 of 2' }).waitFor();
    await expect.poll(() => other.getAttribute('src')).not.toBe(before);
    await page.getByRole('button', { name: 'Not a copy' }).click();
    await page.keyboard.press('a');
    await page.getByText('2 photos wait for a person.').waitFor();
    const decided = () =>
      database.db
        .selectFrom('audit.entries')
        .select('details')
        .where('file_id', '=', first)
        .where('action', '=', 'photo.approve')
        .execute();
    await expect.poll(decided, { timeout: 15_000 }).toMatchObject([
      {
        details: {
          matches: [
            { fileId: second, outcome: 'same_owner' },
            { fileId: third, outcome: 'not_a_copy' },
          ],
        },
      },
    ]);
    expect(browsing.complaints).toEqual([]);
  });

  async function naturalRatio(): Promise<number> {
    const ratio: unknown = await browsing.page.evaluate(
      `(() => { const image = document.querySelector('.review__fit img'); return image.naturalWidth / image.naturalHeight; })()`,
    );
    return Number(ratio);
  }
});
