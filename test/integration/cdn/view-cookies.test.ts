import { createServer, type Server } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type FileId, fileId } from '#src/domain/ids.ts';
import {
  distinctPhoto,
  MODERATOR,
  newItem,
  OTHER_SELLER,
  SELLER,
  SERVICE,
  startApp,
  type TestApp,
  untilState,
} from '#test/support/app.ts';
import { DOUBT_ALL } from '#test/support/policies.ts';

const SECONDS = { expiresIn: 60 };
const VIEW = { variant: 'original', format: null, expiresIn: 60 } as const;

let app: TestApp;
let server: Server;
beforeAll(async () => {
  server = createServer((req, res) => {
    if (!app.edge.handle(req, res)) res.writeHead(418).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = address !== null && typeof address === 'object' ? address.port : 0;
  app = await startApp({ env: { CDN_URL: `http://127.0.0.1:${port}/cdn`, ...DOUBT_ALL } });
});
afterAll(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await app.close();
});

async function inReview(): Promise<FileId> {
  const item = await newItem(app);
  const { photo } = await app.files.uploadItemPhoto(SELLER, item, await distinctPhoto(), { waitMs: 0 });
  await untilState(app, photo.id, 'in_review');
  return fileId(photo.id);
}

async function statusOf(id: FileId, cookies: readonly { name: string; value: string }[]): Promise<number> {
  const { url } = await app.files.getPhotoUrl(MODERATOR, id, VIEW);
  const cookie = cookies.map(({ name, value }) => `${name}=${value}`).join('; ');
  const answer = await fetch(url.split('?')[0] ?? '', { headers: { cookie } });
  await answer.arrayBuffer();
  return answer.status;
}

describe('cookies for the views of a photo that is not public', () => {
  test('open these without a signature in the address, and those of no other photo', async () => {
    const [id, other] = [await inReview(), await inReview()];
    const { cookies, expiresAt } = await app.files.getPhotoCookies(MODERATOR, id, SECONDS);
    expect(Date.parse(expiresAt)).toBeGreaterThan(Date.now());
    expect(await statusOf(id, cookies)).toBe(200);
    expect(await statusOf(id, [])).toBe(404);
    expect(await statusOf(other, cookies)).toBe(403);
  });

  test('are given to owner and staff alone, and written down before', async () => {
    const id = await inReview();
    await expect(app.files.getPhotoCookies(OTHER_SELLER, id, SECONDS)).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
    await expect(app.files.getPhotoCookies(SERVICE, id, SECONDS)).rejects.toMatchObject({
      code: 'FORBIDDEN',
    });
    for (const who of [SELLER, MODERATOR]) await app.files.getPhotoCookies(who, id, SECONDS);
    const entries = await app.db.selectFrom('audit.entries').selectAll().where('file_id', '=', id).execute();
    expect(entries.map(({ user_id, action }) => [user_id, action])).toEqual([
      [SELLER.userId, 'photo.view'],
      [MODERATOR.userId, 'photo.view'],
    ]);
  });

  test('last no longer than signatures may, and are of no use to a public photo', async () => {
    const id = await inReview();
    await expect(
      app.files.getPhotoCookies(SELLER, id, { expiresIn: app.jobs.limits.signedUrlMaxSeconds + 1 }),
    ).rejects.toMatchObject({ code: 'INVALID_REQUEST' });
    await app.review.decide(MODERATOR, id, { decision: 'approve', reason: 'Fine.' });
    await expect(app.files.getPhotoCookies(SELLER, id, SECONDS)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});
