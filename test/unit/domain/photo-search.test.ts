import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { searchScope } from '#src/domain/access.ts';
import { COLORS, colorOf, dominantColors } from '#src/domain/colors.ts';
import { FILE_STATES } from '#src/domain/file-state.ts';
import { documentHash, mayFind, type PhotoFacts, photoDocument } from '#src/domain/photo-document.ts';
import { allowedEdits, edits, searchWords } from '#src/domain/search-words.ts';

const FACTS: PhotoFacts = {
  id: '019a8c6e-6c1e-7b57-9d0c-2f2f0d1c7a11',
  itemId: 'bike-42',
  ownerId: 'seller-1',
  state: 'ready',
  reason: null,
  listing: 'active',
  isListingDeleted: false,
  category: 'Bikes',
  title: 'Vélo-cargo, 26″!',
  alt: null,
  labels: [
    { label: 'mountain bike, all-terrain bike', confidence: 0.7 },
    { label: 'unicycle', confidence: 0.1 },
  ],
  format: 'jpeg',
  width: 1600,
  height: 1200,
  coverScore: 0.714,
  publishedAt: new Date('2026-01-05T09:30:01.200Z'),
};

describe('the document of a photo', () => {
  test('says what can be looked for, in words that both engines take alike', () => {
    expect(photoDocument(FACTS, ['red'])).toEqual({
      id: FACTS.id,
      itemId: 'bike-42',
      ownerId: 'seller-1',
      isPublic: true,
      state: 'ready',
      reason: null,
      listing: 'active',
      category: 'Bikes',
      title: 'velo cargo 26',
      alt: '',
      labels: ['mountain bike all terrain bike'],
      format: 'jpeg',
      width: 1600,
      height: 1200,
      orientation: 'landscape',
      colors: ['red'],
      quality: 71,
      publishedAt: '2026-01-05T09:30:01.200Z',
    });
  });

  test('is there for states in which somebody may look for it, and public only for what is offered', () => {
    const publicOf = (change: Partial<PhotoFacts>) => photoDocument({ ...FACTS, ...change }, [])?.isPublic;
    expect(Object.fromEntries(FILE_STATES.map((state) => [state, publicOf({ state })]))).toEqual({
      pending: undefined,
      received: undefined,
      checking: undefined,
      published: true,
      ready: true,
      in_review: false,
      rejected: false,
      taken_down: false,
      failed: undefined,
      deleting: undefined,
      deleted: undefined,
    });
    expect([
      publicOf({ listing: 'sold' }),
      publicOf({ listing: 'draft' }),
      publicOf({ listing: 'withdrawn' }),
    ]).toEqual([true, false, false]);
    expect(publicOf({ isListingDeleted: true })).toBe(false);
  });

  test('knows what is upright, and what is nearly square', () => {
    const shapeOf = (width: number | null, height: number | null) =>
      photoDocument({ ...FACTS, width, height }, [])?.orientation;
    expect([shapeOf(3, 4), shapeOf(4, 3), shapeOf(100, 96), shapeOf(null, null)]).toEqual([
      'portrait',
      'landscape',
      'square',
      null,
    ]);
  });

  test('has a hash that does not depend on the order of its parts, and changes with any of them', () => {
    const document = photoDocument(FACTS, ['red']);
    if (document === null) throw new Error('Expected a document');
    const turned = { ...Object.fromEntries(Object.entries(document).toReversed()), ...document };
    expect(documentHash(turned)).toBe(documentHash(document));
    for (const change of [{ alt: 'x' }, { quality: 70 }, { colors: [] }, { isPublic: false }])
      expect(documentHash({ ...document, ...change })).not.toBe(documentHash(document));
  });
});

test('who may find what: everybody what is public, owners theirs, those who see all photos everything', () => {
  const hidden = { isPublic: false, ownerId: 'seller-1' };
  const may = (userId: string, ...roles: ('seller' | 'moderator' | 'admin' | 'service')[]) =>
    mayFind(searchScope({ userId, roles }), hidden);
  expect(mayFind(searchScope(null), hidden)).toBe(false);
  expect(mayFind(searchScope(null), { ...hidden, isPublic: true })).toBe(true);
  expect([
    may('seller-1'),
    may('seller-2', 'seller'),
    may('m', 'moderator'),
    may('a', 'admin'),
    may('s', 'service'),
  ]).toEqual([true, false, true, true, true]);
});

describe('words', () => {
  test('are letters and digits in small letters without accents, apart by one blank', () => {
    expect(searchWords('  Ärmel — d’été,\n26″ КРАСНЫЙ 自転車 🚲 & | ! ( ')).toBe(
      'armel d ete 26 красныи 自転車',
    );
    expect(searchWords('!?')).toBe('');
  });

  test('of any text are words of themselves, and few', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 500 }), (text) => {
        const words = searchWords(text);
        expect(searchWords(words)).toBe(words);
        expect(words).toMatch(/^([\p{L}\p{N}]+( [\p{L}\p{N}]+)*)?$/u);
        expect(words.split(' ').length).toBeLessThanOrEqual(64);
      }),
    );
  });

  test('are so many letters apart', () => {
    expect([
      edits('bike', 'bike'),
      edits('bike', 'bikes'),
      edits('bike', 'bkie'),
      edits('', 'abc'),
      edits('cat', 'dog'),
    ]).toEqual([0, 1, 1, 3, 3]);
    expect(['at', 'bike', 'bicycle'].map(allowedEdits)).toEqual([0, 1, 2]);
  });
});

describe('colors', () => {
  test('have the names that people give them', () => {
    const named: [readonly [number, number, number], string][] = [
      [[0, 0, 0], 'black'],
      [[255, 255, 255], 'white'],
      [[128, 128, 130], 'grey'],
      [[210, 30, 35], 'red'],
      [[255, 140, 0], 'orange'],
      [[250, 220, 40], 'yellow'],
      [[40, 140, 60], 'green'],
      [[30, 80, 200], 'blue'],
      [[130, 40, 190], 'purple'],
      [[250, 150, 190], 'pink'],
      [[110, 70, 40], 'brown'],
    ];
    for (const [rgb, name] of named) expect(colorOf(...rgb), String(rgb)).toBe(name);
    expect(new Set(named.map(([, name]) => name))).toEqual(new Set(COLORS));
  });

  test('that dominate come first; details and what is transparent do not count', () => {
    const pixels = (count: number, ...rgba: number[]) => Array.from({ length: count }, () => rgba).flat();
    const photo = Uint8Array.from([
      ...pixels(60, 30, 80, 200, 255),
      ...pixels(30, 255, 255, 255, 255),
      ...pixels(10, 210, 30, 35, 255),
      ...pixels(500, 40, 140, 60, 0),
    ]);
    expect(dominantColors(photo)).toEqual(['blue', 'white']);
    expect(dominantColors(new Uint8Array())).toEqual([]);
  });
});
