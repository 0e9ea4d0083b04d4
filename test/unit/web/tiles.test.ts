import { expect, test } from 'vitest';
import { FILE_STATES, STAGES } from '#src/domain/file-state.ts';
import { readRetryAfter } from '../../../web/src/api/api-error.ts';
import type { Photo } from '../../../web/src/api/schemas.ts';
import { stageProgress, stageWords } from '../../../web/src/upload/stage-words.ts';
import { arrangeTiles } from '../../../web/src/upload/tiles.ts';
import type { Upload } from '../../../web/src/upload/upload-queue.ts';

const NONE: ReadonlySet<string> = new Set();

test('a photo and the upload it came from are one tile; uploads without a photo follow', () => {
  const { placed } = arrangeTiles(
    [photo('p1', 'checking')],
    [upload('u1', 'sent', 'p1'), upload('u2', 'sending', null)],
    NONE,
  );
  expect(placed.map(({ key, upload: from }) => [key, from?.key])).toEqual([
    ['p1', 'u1'],
    ['u2', 'u2'],
  ]);
});

test('refused photos and refused uploads are apart from those with a place', () => {
  const photos = [
    photo('p1', 'ready'),
    photo('p2', 'rejected'),
    photo('p3', 'failed'),
    photo('p4', 'in_review'),
  ];
  const { placed, refused } = arrangeTiles(photos, [upload('u1', 'refused', null)], NONE);
  expect(placed.map(({ key }) => key)).toEqual(['p1', 'p4']);
  expect(refused.map(({ key }) => key)).toEqual(['p2', 'p3', 'u1']);
});

test('what is being deleted is not shown, nor an upload whose photo is gone', () => {
  const photos = [photo('p1', 'ready'), photo('p2', 'deleting')];
  const { placed, refused } = arrangeTiles(photos, [upload('u1', 'sent', 'p9')], new Set(['p1']));
  expect([...placed, ...refused]).toEqual([]);
});

test('every state and stage has words, and the bar only moves forward', () => {
  const words = FILE_STATES.flatMap((state) => [null, ...STAGES].map((stage) => stageWords(state, stage)));
  for (const each of words) expect(each).toMatch(/^[A-Z][a-z ]+/);
  const shares = STAGES.map((stage) => stageProgress(stage));
  expect(shares).toEqual(shares.toSorted((a, b) => a - b));
  expect(Math.max(...shares)).toBeLessThan(1);
});

test('Retry-After is read as seconds or as a date', () => {
  const now = Date.parse('2026-01-05T09:30:00Z');
  expect(readRetryAfter('12', now)).toBe(12);
  expect(readRetryAfter('Mon, 05 Jan 2026 09:30:30 GMT', now)).toBe(30);
  expect(readRetryAfter('soon', now)).toBeNull();
  expect(readRetryAfter(null, now)).toBeNull();
});

function upload(key: string, phase: Upload['phase'], photoId: string | null): Upload {
  return { key, file: new File(['x'], key), phase, progress: 0, photoId, notice: null, problem: null };
}

function photo(id: string, state: Photo['state']): Photo {
  return {
    id,
    kind: 'item_photo',
    itemId: 'i',
    ownerId: 'o',
    state,
    stage: null,
    archive: 'none',
    position: null,
    reason: null,
    warnings: [],
    alt: null,
    width: null,
    height: null,
    placeholder: null,
    createdAt: '2026-01-05T09:30:00.000Z',
    variants: {},
    srcset: { jpeg: '', webp: '' },
  };
}
