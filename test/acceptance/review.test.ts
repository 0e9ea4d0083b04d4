import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { Photo, ReviewEntry } from '#src/http/schemas.ts';
import { type RunningService, startService } from '#test/support/service.ts';
import { type Client, clientOf, expectNoObjects, expectProblem, photoFile } from './client.ts';
import { DOUBT_ALL, REJECT_ALL } from '#test/support/policies.ts';

const Queue = z.strictObject({
  photos: z.array(ReviewEntry.strict()),
  next: z.string().nullable(),
  count: z.int(),
});

describe('when every photo is in doubt', () => {
  let service: RunningService;
  let client: Client;
  let seller: string;
  let moderator: string;
  let itemId: string;
  beforeAll(async () => {
    service = await startService({ env: { LOG_LEVEL: 'warn', ...DOUBT_ALL } });
    client = clientOf(service.url);
    seller = await client.token('seller-1', 'seller');
    moderator = await client.token('moderator-1', 'moderator');
    itemId = await client.listing(seller);
  });
  afterAll(() => service.stop());

  const queue = async () => (await client.call('GET', '/v1/admin/review', { token: moderator })).as(Queue);
  const decide = (id: string, decision: string, reason = 'As the rules say.', token = moderator) =>
    client.call('POST', `/v1/admin/photos/${id}/decision`, { token, json: { decision, reason } });
  const inReview = async (name: string) => {
    const reply = await client.upload(`/v1/items/${itemId}/photos`, await photoFile(name), { token: seller });
    expect(reply.status).toBe(202);
    const photo = reply.as(Photo);
    expect(photo.state).toBe('in_review');
    return photo.id;
  };

  test('it waits for a person, unseen, and is public once it is approved', async () => {
    const id = await inReview('lake.jpg');
    expect((await client.gallery(itemId)).photos).toEqual([]);
    expectProblem(await client.call('GET', `/v1/photos/${id}`), 404, 'NOT_FOUND');

    const { photos, count } = await queue();
    expect(count).toBe(1);
    const [entry] = photos;
    expect(entry).toMatchObject({ photo: { id }, item: { id: itemId } });
    const viewUrl = entry?.viewUrl ?? '';
    const view = await client.call('GET', viewUrl);
    expect(view.status).toBe(200);
    expect(view.headers.get('cache-control')).toBe('private, no-store');
    expect((await client.call('GET', viewUrl.split('?')[0] ?? '')).status).toBe(404);

    expectProblem(await decide(id, 'approve', 'Because I want to.', seller), 403, 'FORBIDDEN');
    expectProblem(await decide(id, 'approve', ''), 400, 'INVALID_REQUEST');
    expect((await decide(id, 'approve')).status).toBe(200);
    const ready = await client.untilState(id, seller, 'ready');
    expect((await client.call('GET', ready.variants.large?.auto ?? '')).status).toBe(200);
    expect((await queue()).count).toBe(0);
    expectProblem(await decide(id, 'reject'), 409, 'ALREADY_DECIDED');
  });

  test('one of two moderators who decide at once is told that it was decided', async () => {
    const id = await inReview('sunset.jpg');
    const replies = await Promise.all([decide(id, 'approve'), decide(id, 'reject')]);
    expect(replies.map((reply) => reply.status).toSorted((a, b) => a - b)).toEqual([200, 409]);
    await client.call('DELETE', `/v1/photos/${id}`, { token: seller });
  });

  test('a rejected one tells its seller why, who may appeal once more', async () => {
    const id = await inReview('dogs.jpg');
    expect((await decide(id, 'reject', 'No animals, please.')).status).toBe(200);
    const rejected = await client.untilState(id, seller, 'rejected');
    expect(rejected.reason).toEqual({ code: 'CONTENT_REJECTED', message: 'No animals, please.' });
    expectProblem(await client.call('GET', `/v1/photos/${id}`), 404, 'NOT_FOUND');

    const json = { message: 'They come with the house.' };
    const appeal = await client.call('POST', `/v1/photos/${id}/appeal`, { token: seller, json });
    expect(appeal.status).toBe(200);
    expect(appeal.as(Photo).state).toBe('in_review');
    const { photos } = await queue();
    expect(photos[0]).toMatchObject({ photo: { id }, appeal: 'They come with the house.' });
    expect((await decide(id, 'approve')).status).toBe(200);
    await client.untilState(id, seller, 'ready');
  });

  test('one taken down is nowhere any more: page, cache, store', async () => {
    const id = await inReview('mountains.jpg');
    await decide(id, 'approve');
    const photo = await client.untilState(id, seller, 'ready');
    const urls = Object.values(photo.variants).flatMap((variant) => variant?.auto ?? []);
    for (const url of urls) expect((await client.call('GET', url)).status).toBe(200);
    const taken = await decide(id, 'takedown', 'It is not theirs.');
    expect(taken.as(Photo).state).toBe('taken_down');
    for (const url of urls)
      await expect.poll(async () => (await client.call('GET', url)).status, { timeout: 10_000 }).toBe(404);
    expect((await client.gallery(itemId)).photos.map((shown) => shown.id)).not.toContain(id);
    expectProblem(await decide(id, 'takedown'), 409, 'ALREADY_DECIDED');
  });

  test('one that a replay hides is nowhere public until a moderator has looked, and back at once when approved', async () => {
    const id = await inReview('nuthatch.jpg');
    await decide(id, 'approve');
    const photo = await client.untilState(id, seller, 'ready');
    const urls = Object.values(photo.variants).flatMap((variant) => variant?.auto ?? []);
    for (const url of urls) expect((await client.call('GET', url)).status).toBe(200);

    const admin = await client.token('admin-1', 'admin');
    const never = { review: 'never', reject: 'never' };
    const labels = { gun: { review: 0, reject: 'never', hide: 0 } };
    const policy = { name: 'hides', labels, otherLabels: never, categories: {} };
    const replay = { token: admin, json: { policy, dryRun: false } };
    expect((await client.call('POST', '/v1/admin/moderation/replay', replay)).status).toBe(202);
    const hidden = await client.untilState(id, seller, 'in_review');
    expect(hidden).toMatchObject({ position: photo.position, reason: { code: 'CONTENT_REJECTED' } });
    expectProblem(await client.call('GET', `/v1/photos/${id}`), 404, 'NOT_FOUND');
    for (const url of urls)
      await expect.poll(async () => (await client.call('GET', url)).status, { timeout: 10_000 }).toBe(404);
    const history = async () =>
      (await client.call('GET', `/v1/admin/photos/${id}/history`, { token: moderator })).as(
        z.object({ proofs: z.array(z.object({ state: z.string() })) }),
      );
    await expect
      .poll(async () => (await history()).proofs.map(({ state }) => state), { timeout: 30_000 })
      .toEqual(['gone']);

    await decide(id, 'approve');
    expect((await client.call('GET', urls[0] ?? '')).status).toBe(200);
    await client.untilState(id, seller, 'ready');
  });

  test('and nothing is left once the listing is deleted', async () => {
    expect((await client.call('DELETE', `/v1/items/${itemId}`, { token: seller })).status).toBe(204);
    await expectNoObjects(service.dataDir);
  });
});

describe('when the models are certain', () => {
  let service: RunningService;
  let client: Client;
  beforeAll(async () => {
    const env = { LOG_LEVEL: 'warn', ...REJECT_ALL };
    service = await startService({ env });
    client = clientOf(service.url);
  });
  afterAll(() => service.stop());

  test('the photo is refused while its sender waits, and never public', async () => {
    const seller = await client.token('seller-1', 'seller');
    const itemId = await client.listing(seller);
    const reply = await client.upload(`/v1/items/${itemId}/photos`, await photoFile('lake.jpg'), {
      token: seller,
    });
    expectProblem(reply, 422, 'CONTENT_REJECTED');
    expect((await client.gallery(itemId)).photos).toEqual([]);
  });
});
