import { describe, expect, test } from 'vitest';
import { METADATA_KINDS, METADATA_WORDS } from '../../../src/domain/metadata.ts';
import { PHOTO_HINTS } from '../../../src/domain/photo-coach.ts';
import { removedSentence, removedWords } from '../../../web/src/components/removed-words.ts';
import { warningNotes } from '../../../web/src/upload/stage-words.ts';

const CLEAN = [{ clean: true }];

describe('what a seller reads of the removed data', () => {
  test('names the first two and counts the others', () => {
    expect(removedSentence(['gps', 'camera', 'dates', 'exif', 'thumbnail'], CLEAN)).toBe(
      'Location, camera details and 3 more were removed.',
    );
    expect(removedSentence(['gps', 'dates'], CLEAN)).toBe('Location and dates and times were removed.');
    expect(removedSentence(['gps'], CLEAN)).toBe('Location was removed.');
    expect(removedSentence([], CLEAN)).toBe('There was no private data in this photo.');
  });

  test('claims nothing that is not proved', () => {
    expect(removedSentence([], [])).toBe('Nothing was made of this photo yet.');
    expect(removedSentence(['gps'], [{ clean: true }, { clean: false }])).toContain('could not prove');
  });

  test('has words for every kind', () => {
    expect(removedWords([...METADATA_KINDS, 'trailingBytes', 'of a later version'])).toEqual(
      Object.values(METADATA_WORDS),
    );
  });
});

describe('hints', () => {
  test('each say what to do', () => {
    for (const hint of PHOTO_HINTS) expect(warningNotes([hint]).join(), hint).toMatch(/\. .*\.$/);
  });

  test('say one thing once', () => {
    expect(warningNotes(['VERY_SMALL', 'TINY', 'SCALED_DOWN'])).toHaveLength(1);
    expect(warningNotes(['VERY_SMALL'])).toHaveLength(1);
  });
});
