import { beforeAll, describe, expect, test } from 'vitest';
import { type FileId, fileId } from '#src/domain/ids.ts';
import { MODERATOR, SELLER, type TestApp } from '#test/support/app.ts';

export interface Reviews {
  /** A photo of whom the moderator says so. */
  readonly uploaded: (verdict: 'review') => Promise<FileId>;
  readonly decide: (id: FileId, decision: 'reject') => Promise<unknown>;
}

/** The queue: a part of the tests of reviews, with the service that they have started. */
export function reviewQueue(service: () => TestApp, { uploaded, decide }: Reviews): void {
  let app: TestApp;
  beforeAll(() => {
    app = service();
  });

  describe('the queue', () => {
    test('keeps its order when a photo that waits is described', async () => {
      const ids = [await uploaded('review'), await uploaded('review')];
      const order = async () => {
        const { photos } = await app.review.listReview(MODERATOR, { limit: 100 });
        return photos
          .filter((entry) => ids.includes(fileId(entry.photo.id)))
          .map((entry) => [entry.photo.id, entry.waitingSince]);
      };
      const before = await order();
      expect(before.map(([id]) => id)).toEqual(ids);
      for (const id of ids) await app.files.setAlt(SELLER, id, 'A lamp');
      await app.files.setAlt(SELLER, ids[0] ?? fileId(''), 'A better lamp');
      expect(await order()).toEqual(before);
    });

    test('writes down each signed view that it shows, before it shows it', async () => {
      const id = await uploaded('review');
      const who = { userId: `moderator-${id}`, roles: ['moderator'] } as const;
      const { photos } = await app.review.listReview(who, { limit: 100 });
      const viewed = photos.filter((entry) => entry.viewUrl !== null).map((entry) => entry.photo.id);
      expect(viewed).toContain(id);
      const audited = await app.db
        .selectFrom('audit.entries')
        .select(['action', 'file_id'])
        .where('user_id', '=', who.userId)
        .execute();
      expect(new Set(audited.map((entry) => entry.action))).toEqual(new Set(['photo.view']));
      expect(audited).toHaveLength(viewed.length);
      expect(new Set(audited.map((entry) => entry.file_id))).toEqual(new Set(viewed));
    });

    test('is read page by page without loss or repeat while others decide', async () => {
      const ids: FileId[] = [];
      for (let count = 0; count < 5; count += 1) ids.push(await uploaded('review'));
      const seen: string[] = [];
      let after: string | undefined;
      do {
        const page = await app.review.listReview(MODERATOR, {
          limit: 2,
          ...(after !== undefined && { after }),
        });
        seen.push(...page.photos.map((entry) => entry.photo.id));
        const last = page.photos.at(-1);
        // Deciding on the last of a page must not lose those behind it.
        if (last !== undefined && ids.includes(fileId(last.photo.id)))
          await decide(fileId(last.photo.id), 'reject');
        after = page.next ?? undefined;
      } while (after !== undefined);
      expect(seen.filter((id) => ids.includes(fileId(id)))).toEqual(ids);
      expect(new Set(seen).size).toBe(seen.length);
      for (const marker of ['nonsense', ids[0] ?? '', Buffer.from('["2026","\u0000"]').toString('base64url')])
        await expect(app.review.listReview(MODERATOR, { limit: 2, after: marker })).rejects.toMatchObject({
          code: 'INVALID_REQUEST',
        });
    });
  });
}
