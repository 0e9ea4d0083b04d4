import { v7 } from 'uuid';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { PhotoDocument } from '#src/domain/photo-document.ts';
import type { PhotoIndex, PhotoQuery } from '#src/ports/search.ts';
import { askedBy, madeDocument } from '#test/support/photo-documents.ts';

export interface PhotoIndexUnderTest {
  readonly product: string;
  /** Opens it on a place of its own, where there is no index yet. */
  readonly open: () => Promise<PhotoIndex>;
  /** Why it cannot be had here. */
  readonly missing?: string | undefined;
}

/** What any search index must do; see `src/ports/search.ts`. */
export function describePhotoIndex({ product, open, missing }: PhotoIndexUnderTest): void {
  const title = missing === undefined ? '' : ` (skipped: ${missing})`;
  describe.skipIf(missing !== undefined)(`a search index: ${product}${title}`, () => {
    let index: PhotoIndex;
    let current = '';
    /** The last one that was used. */
    let version = 0;

    beforeAll(async () => {
      index = await open();
      expect(await index.prepare()).toBe('made');
    });
    /** Each test begins with tombstones only. */
    beforeEach(async () => {
      [current = ''] = await index.indexes();
      await index.refresh(current);
      const left = await index.list(current, { after: null, limit: 1000 });
      version += 1;
      await index.write(
        current,
        left.map(({ id }) => ({ id, version, document: null })),
      );
      await index.refresh(current);
    });
    afterAll(() => index?.close());

    async function put(documents: readonly PhotoDocument[], into = current): Promise<void> {
      version += 1;
      const entries = documents.map((document) => ({ id: document.id, version, document }));
      expect(await index.write(into, entries)).toEqual({ outdated: 0, refused: [] });
      await index.refresh(into);
    }
    async function found(query: Partial<PhotoQuery> = {}): Promise<string[]> {
      return (await index.search(askedBy(query))).map(({ id }) => id);
    }

    test('is found again by who prepares it, and the same by many at once', async () => {
      expect(await Promise.all([index.prepare(), index.prepare(), index.prepare()])).toEqual([
        'found',
        'found',
        'found',
      ]);
      await index.ping();
      expect(await index.indexes()).toEqual([current]);
    });

    test('finds by title, description, labels and category; all words must be there, in any part of it', async () => {
      const bike = madeDocument({
        title: 'red mountain bike',
        alt: 'leaning on a wall',
        category: 'Sports gear',
      });
      const teapot = madeDocument({ title: 'blue thing', labels: ['teapot'], category: null });
      await put([bike, teapot]);
      for (const words of ['mountain', 'wall', 'sports', 'bike wall', 'wall red gear', 'off roader bike'])
        expect(await found({ words }), words).toEqual([bike.id]);
      expect(await found({ words: 'teapot' })).toEqual([teapot.id]);
      expect(await found({ words: 'teapot wall' })).toEqual([]);
      expect(await found({ words: 'zebra' })).toEqual([]);
    });

    test('takes singular for plural, passes small words over, and the last word need only be begun', async () => {
      const bike = madeDocument({ title: 'mountain bikes for children' });
      await put([bike]);
      for (const words of [
        'bike',
        'bikes',
        'the mountain bike',
        'mountain bi',
        'mountain chil',
        'MOUNTAIN'.toLowerCase(),
      ])
        expect(await found({ words }), words).toEqual([bike.id]);
      expect(await found({ words: 'mount bikes' })).toEqual([]);
    });

    test('takes letters and digits of any script, and nothing of a text for a command', async () => {
      const russian = madeDocument({ title: 'красный велосипед 29' });
      await put([russian]);
      expect(await found({ words: 'велосипед' })).toEqual([russian.id]);
      expect(await found({ words: '29' })).toEqual([russian.id]);
      for (const words of ['or', 'not', 'and', 'null', 'ids', 'to', 'title'])
        expect(await found({ words }), words).toEqual([]);
    });

    test('finds words that are a letter or two off only when asked to', async () => {
      const camera = madeDocument({ title: 'an old camera', labels: [], category: null });
      const bicycle = madeDocument({ title: 'a bicycle', labels: [], category: null });
      await put([camera, bicycle]);
      for (const [words, photo] of [
        ['cemera', camera],
        ['bicicle', bicycle],
        ['old camra', camera],
      ] as const) {
        expect(await found({ words }), words).toEqual([]);
        expect(await found({ words, isLoose: true }), words).toEqual([photo.id]);
      }
      expect(await found({ words: 'xylophone', isLoose: true })).toEqual([]);
    });

    test('puts a title above a label, and of equals the newest first', async () => {
      const seen = madeDocument({ title: 'nice thing', labels: ['bike'] });
      const older = madeDocument({ title: 'bike', labels: [] });
      const newer = madeDocument({ title: 'bike', labels: [] });
      await put([seen, older, newer]);
      expect(await found({ words: 'bike' })).toEqual([newer.id, older.id, seen.id]);
      expect(await found()).toEqual([newer.id, older.id, seen.id]);
    });

    test('all filters must hold', async () => {
      const wide = madeDocument({
        colors: ['blue', 'white'],
        format: 'webp',
        width: 3000,
        height: 2000,
        quality: 90,
      });
      const tall = madeDocument({
        colors: ['blue'],
        orientation: 'portrait',
        width: 1000,
        height: 2000,
        itemId: 'other',
        ownerId: 'seller-2',
        category: 'art: prints',
        quality: null,
      });
      await put([wide, tall]);
      const asked: [PhotoQuery['filters'], string[]][] = [
        [{ color: 'blue' }, [tall.id, wide.id]],
        [{ color: 'white' }, [wide.id]],
        [{ color: 'red' }, []],
        [{ format: 'webp' }, [wide.id]],
        [{ orientation: 'portrait' }, [tall.id]],
        [{ minWidth: 1001 }, [wide.id]],
        [{ minHeight: 2000 }, [tall.id, wide.id]],
        [{ minHeight: 2001 }, []],
        [{ minQuality: 90 }, [wide.id]],
        [{ category: 'art: prints' }, [tall.id]],
        [{ ownerId: 'seller-2' }, [tall.id]],
        [{ itemId: 'other' }, [tall.id]],
        [{ color: 'blue', orientation: 'landscape', minWidth: 3000 }, [wide.id]],
        [{ color: 'white', orientation: 'portrait' }, []],
        [{ state: 'ready' }, [tall.id, wide.id]],
      ];
      for (const [filters, expected] of asked)
        expect(await found({ filters }), JSON.stringify(filters)).toEqual(expected);
      expect(await found({ filters: { color: 'blue' }, words: 'bike' })).toHaveLength(2);
    });

    test('anybody finds what is public, an owner also their own, and who sees all everything', async () => {
      const shown = madeDocument();
      const waiting = madeDocument({ isPublic: false, state: 'in_review', ownerId: 'seller-2' });
      const refused = madeDocument({ isPublic: false, state: 'rejected', ownerId: 'seller-3' });
      await put([shown, waiting, refused]);
      for (const words of [null, 'bike']) {
        const by = (all: boolean, ownerId: string | null, filters: PhotoQuery['filters'] = {}) =>
          found({ words, scope: { all, ownerId }, filters });
        expect((await by(false, null)).toSorted()).toEqual([shown.id]);
        expect((await by(false, 'seller-2')).toSorted()).toEqual([shown.id, waiting.id]);
        expect((await by(true, 'moderator')).toSorted()).toEqual([shown.id, waiting.id, refused.id]);
        expect(await by(false, 'seller-2', { state: 'rejected' })).toEqual([]);
        expect(await by(true, null, { state: 'rejected' })).toEqual([refused.id]);
      }
    });

    test('pages on behind the last hit, through all of them, each once', async () => {
      const documents = Array.from({ length: 25 }, (_, n) =>
        madeDocument({ title: n % 2 === 0 ? 'bike' : 'a bike and many other words besides' }),
      );
      await put(documents);
      for (const words of [null, 'bike']) {
        const seen: string[] = [];
        for (let after: PhotoQuery['after'] = null; ; ) {
          const page = await index.search(askedBy({ words, after, limit: 7 }));
          seen.push(...page.map(({ id }) => id));
          after = page.at(-1) ?? null;
          if (page.length < 7) break;
        }
        expect(seen).toHaveLength(25);
        expect(new Set(seen)).toEqual(new Set(documents.map(({ id }) => id)));
      }
    });

    test('a late write changes nothing, and the same one again neither', async () => {
      const photo = madeDocument({ title: 'new words' });
      const late = { ...photo, title: 'old words' };
      const last = (version += 2);
      expect(await index.write(current, [{ id: photo.id, version: last, document: photo }])).toMatchObject({
        outdated: 0,
      });
      expect(await index.write(current, [{ id: photo.id, version: last - 1, document: late }])).toEqual({
        outdated: 1,
        refused: [],
      });
      expect(await index.write(current, [{ id: photo.id, version: last, document: photo }])).toMatchObject({
        refused: [],
      });
      await index.refresh(current);
      expect(await index.get(current, [photo.id])).toEqual([photo]);
      expect(await index.highestVersion()).toBe(last);
    });

    test('a tombstone keeps late documents out, and a newer document takes its place', async () => {
      const photo = madeDocument();
      const first = version + 1;
      version += 4;
      await index.write(current, [{ id: photo.id, version: first, document: photo }]);
      await index.write(current, [{ id: photo.id, version: first + 2, document: null }]);
      expect(
        await index.write(current, [{ id: photo.id, version: first + 1, document: photo }]),
      ).toMatchObject({
        outdated: 1,
      });
      await index.refresh(current);
      expect(await found({ scope: { all: true, ownerId: null } })).toEqual([]);
      expect(await found({ words: 'bike', scope: { all: true, ownerId: 'seller-1' } })).toEqual([]);
      expect(await index.get(current, [photo.id])).toEqual([]);
      expect(await index.list(current, { after: null, limit: 10 })).toEqual([]);
      expect(await index.count(current)).toBe(0);
      await index.write(current, [{ id: photo.id, version: first + 3, document: photo }]);
      await index.refresh(current);
      expect(await found()).toEqual([photo.id]);
    });

    test('lists documents as they were written, in the order of their ids', async () => {
      const documents = Array.from({ length: 5 }, (_, n) =>
        madeDocument({
          category: null,
          width: null,
          format: null,
          quality: n === 0 ? null : n,
          title: `thing ${n}`,
        }),
      );
      await put(documents.toReversed());
      const first = await index.list(current, { after: null, limit: 3 });
      const rest = await index.list(current, { after: first.at(-1)?.id ?? null, limit: 3 });
      expect([...first, ...rest]).toEqual(documents);
      expect(await index.count(current)).toBe(5);
    });

    test('another index is filled beside the current one, takes its place at once, and the old one can go', async () => {
      const old = madeDocument({ title: 'old' });
      const fresh = madeDocument({ title: 'new' });
      await put([old]);
      const beside = await index.create(v7().replaceAll('-', ''));
      await put([fresh], beside);
      expect(await found()).toEqual([old.id]);
      expect(await index.indexes()).toEqual([current, beside]);
      await expect(index.remove(current)).rejects.toMatchObject({ code: 'CONFLICT' });
      await index.makeCurrent(beside);
      expect(await found()).toEqual([fresh.id]);
      expect(await index.indexes()).toEqual([beside, current]);
      await index.remove(current);
      await index.remove(current);
      expect(await index.indexes()).toEqual([beside]);
      await expect(index.write(current, [{ id: old.id, version: 99, document: old }])).rejects.toMatchObject({
        code: 'NOT_FOUND',
      });
      expect(await index.indexes(), 'a write makes no index').toEqual([beside]);
    });
  });
}
