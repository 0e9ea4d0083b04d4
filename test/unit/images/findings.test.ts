import { describe, expect, test } from 'vitest';
import { inspectImage } from '#src/images/inspect.ts';
import { exiftoolAvailable } from '#test/support/exiftool.ts';
import { NO_FINDINGS } from '#test/support/no-findings.ts';
import { PRIVATE_PHOTOS } from '#test/support/private-photos.ts';
import { photoBytes } from './support.ts';

const LIMITS = { maxPixels: 5e7, maxBytes: 1e7, formats: { heic: true, avif: true } };

describe.skipIf(!exiftoolAvailable())('what is in an upload (skipped where exiftool is missing)', () => {
  test.each(PRIVATE_PHOTOS)('$about: each kind is found, and no other', async ({ make, contains }) => {
    const { findings } = await inspectImage((await make()).bytes, LIMITS);
    const found = Object.entries(findings).flatMap(([kind, value]) =>
      value === false || value === 0 ? [] : [kind],
    );
    expect(found.toSorted()).toEqual(contains.toSorted());
    expect(Object.keys(findings).toSorted()).toEqual(Object.keys(NO_FINDINGS).toSorted());
  });
});

test('is told of every file, whichever byte is broken', async () => {
  const files = await Promise.all(
    ['galaxy-m31-heath.heic', 'slings.webp', 'lumia-820-starfish.jpg', 'sunset.jpg'].map(photoBytes),
  );
  for (const file of files) {
    for (let at = 0; at < Math.min(file.length, 12_000); at += 61) {
      const broken = Buffer.from(file);
      broken[at] = 0xff - (broken[at] ?? 0);
      const inspection = await inspectImage(broken, LIMITS).catch(() => null);
      const found = inspection?.findings ?? NO_FINDINGS;
      expect(Object.keys(found), `byte ${at}`).toHaveLength(Object.keys(NO_FINDINGS).length);
    }
  }
});
