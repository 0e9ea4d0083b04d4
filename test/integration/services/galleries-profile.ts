import { beforeAll, describe, expect, test } from 'vitest';
import { userId } from '#src/domain/ids.ts';
import {
  expectNoOrphans,
  distinctPhoto,
  newSeller,
  OTHER_SELLER,
  type TestApp,
  untilState,
} from '#test/support/app.ts';
import { codeOf } from './code-of.ts';

const ASYNC = { waitMs: 0 };
const WAIT = { waitMs: 15_000 };

/** Profile photos: a part of the tests of galleries, with the service that they have started. */
export function profilePhotos(service: () => TestApp): void {
  let app: TestApp;
  beforeAll(() => {
    app = service();
  });

  describe('a profile photo', () => {
    test('stays public until its successor is, then it is gone', async () => {
      const who = newSeller();
      const user = userId(who.userId);
      const purged: string[] = [];
      const first = await app.files.uploadProfilePhoto(who, user, await distinctPhoto(), WAIT);
      await untilState(app, first.photo.id, 'ready');
      expect(Object.keys((await app.files.getProfilePhoto(null, user)).variants)).toEqual([
        'original',
        'thumbnail',
      ]);
      const key = await app.files.profileThumbnailKey(user, 'webp');
      expect(key).toMatch(/\.webp$/);

      const second = await app.files.uploadProfilePhoto(who, user, await distinctPhoto(), ASYNC);
      expect((await app.files.getProfilePhoto(null, user)).id).toBe(first.photo.id);
      await untilState(app, second.photo.id, 'ready');
      await untilState(app, first.photo.id, 'deleted');
      expect((await app.files.getProfilePhoto(null, user)).id).toBe(second.photo.id);
      expect(await app.files.profileThumbnailKey(user, 'webp')).toContain(second.photo.id);
      const outbox = await app.db
        .selectFrom('outbox')
        .select('payload')
        .where('file_id', 'in', [first.photo.id, second.photo.id])
        .execute();
      for (const { payload } of outbox) if (Array.isArray(payload['paths'])) purged.push(...payload['paths']);
      expect(purged).toContain(`profiles/thumbnail/${user}/current`);
      expect(purged).toContain(key);
      await expectNoOrphans(app);
    });

    test('of many sent at once the last one stays, alone', async () => {
      const who = newSeller();
      const user = userId(who.userId);
      const files = await Promise.all(Array.from({ length: 4 }, () => distinctPhoto()));
      await Promise.all(files.map((file) => app.files.uploadProfilePhoto(who, user, file, ASYNC)));
      const rows = await app.db
        .selectFrom('files')
        .select('id')
        .where('owner_id', '=', who.userId)
        .orderBy('id')
        .execute();
      for (const [index, { id }] of rows.entries())
        await untilState(app, id, index === rows.length - 1 ? 'ready' : 'deleted');
      await expectNoOrphans(app);
    });

    test('is removed by its user and by nobody else', async () => {
      const who = newSeller();
      const user = userId(who.userId);
      const { photo } = await app.files.uploadProfilePhoto(who, user, await distinctPhoto(), WAIT);
      await expect(app.files.deleteProfilePhoto(OTHER_SELLER, user)).rejects.toMatchObject({
        code: 'FORBIDDEN',
      });
      await expect(
        app.files.uploadProfilePhoto(OTHER_SELLER, user, await distinctPhoto(), ASYNC),
      ).rejects.toMatchObject({ code: 'FORBIDDEN' });
      await app.files.deleteProfilePhoto(who, user);
      await untilState(app, photo.id, 'deleted');
      await expect(app.files.getProfilePhoto(who, user)).rejects.toMatchObject({ code: 'NOT_FOUND' });
      await expect(app.files.deleteProfilePhoto(who, user)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    });

    test('is removed once by many who remove it at once, none of whom sees a fault', async () => {
      const who = newSeller();
      const user = userId(who.userId);
      const { photo } = await app.files.uploadProfilePhoto(who, user, await distinctPhoto(), WAIT);
      const outcomes = await Promise.all(
        Array.from({ length: 6 }, () =>
          app.files.deleteProfilePhoto(who, user).then(() => 'removed', codeOf),
        ),
      );
      expect(outcomes).toContain('removed');
      expect(outcomes.filter((outcome) => outcome !== 'removed' && outcome !== 'NOT_FOUND')).toEqual([]);
      await untilState(app, photo.id, 'deleted');
      await expectNoOrphans(app);
    });
  });
}
