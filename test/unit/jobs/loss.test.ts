import { describe, expect, test } from 'vitest';
import { assertBelievable, missedBy } from '#src/jobs/scrub/loss.ts';
import type { Look } from '#src/jobs/scrub/look.ts';

const OBJECT: Look['object'] = {
  key: 'items/large/item-1/photo.jpg',
  fileId: 'file-1',
  etag: null,
  sha256: null,
  damagedAt: null,
  unreadSince: null,
  told: null,
  toldAt: null,
  asideOf: null,
  kind: 'item_photo',
  ownerId: 'seller-1',
  fileState: 'ready',
  storedBytes: 1,
  uploadBytes: 1,
  uploadSha256: null,
  uploadEtag: null,
  storageClass: 'STANDARD',
  variant: null,
};

/** A page of so many objects, of which so many are not there. */
function page(count: number, missing: number, damagedAt: Date | null = null): Look[] {
  const nothing = { info: null, bytesRead: 0, isRead: false };
  return Array.from({ length: count }, (_, at) => ({
    object: { ...OBJECT, damagedAt },
    is:
      at < missing
        ? { ...nothing, verdict: 'wrong', finding: { kind: 'missing', details: {} } }
        : { ...nothing, verdict: 'right', finding: null },
  }));
}

const nowhere = { checked: 0, missed: 0 };

describe('what is missing', () => {
  test.each([
    ['all of a small store', page(20, 20), nowhere, '20 of 20'],
    ['more than half of a page', page(100, 51), { checked: 900_000, missed: 0 }, '51 of 100'],
    ['many, and a tenth of the walk', page(100, 40), { checked: 500, missed: 61 }, '101 of 600'],
  ])('is not believed when it is %s', (_what, looks, walked, found) => {
    expect(() => assertBelievable(looks, walked)).toThrow(
      expect.objectContaining({ code: 'CONFLICT', message: expect.stringContaining(`${found} objects`) }),
    );
  });

  test.each([
    ['one photo of a small store', page(20, 7), nowhere],
    ['half of a page', page(100, 50), { checked: 900_000, missed: 0 }],
    ['the last few of a walk', page(14, 14), { checked: 900_000, missed: 0 }],
    ['many of a long walk', page(100, 40), { checked: 5000, missed: 400 }],
    ['what was known to be lost', page(100, 100, new Date(0)), nowhere],
    ['nothing, after much that was believed', page(100, 0), { checked: 500, missed: 400 }],
  ])('is believed when it is %s', (_what, looks, walked) => {
    expect(() => assertBelievable(looks, walked)).not.toThrow();
  });

  test('is counted where nobody knew of it', () => {
    expect(missedBy([...page(5, 3), ...page(5, 3, new Date(0))])).toBe(3);
  });
});
