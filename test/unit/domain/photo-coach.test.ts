import { describe, expect, test } from 'vitest';
import {
  type CoachMeasures,
  type CoachFacts,
  coverScore,
  hintsFor,
  suggestCover,
} from '#src/domain/photo-coach.ts';

const GOOD: CoachMeasures = {
  edgeWidth: 0.4,
  brightness: 128,
  highlights: 220,
  flatness: 0.02,
  ruledLines: 0,
  centred: 1.3,
};
const LARGE: CoachFacts = { width: 4000, height: 3000, hasCamera: false };
const hints = (change: Partial<CoachMeasures>, facts: Partial<CoachFacts> = {}) =>
  hintsFor({ ...GOOD, ...change }, { ...LARGE, ...facts });
const SCREEN = { flatness: 0.8, ruledLines: 20 };

describe('hints', () => {
  test('are none for a good photo', () => {
    expect(hints({})).toEqual([]);
  });

  test('name a blurred, a dark and a tiny photo, also all at once', () => {
    expect(hints({ edgeWidth: 1.2 })).toEqual(['BLURRY']);
    expect(hints({ brightness: 30, highlights: 70 })).toEqual(['DARK']);
    expect(hints({}, { width: 500, height: 599 })).toEqual(['TINY']);
    expect(hints({ edgeWidth: 2, brightness: 9, highlights: 20 }, { width: 9, height: 9 })).toEqual([
      'BLURRY',
      'DARK',
      'TINY',
    ]);
  });

  test('do not call a lit thing before a dark background dark, nor a photo without edges blurred', () => {
    expect(hints({ brightness: 30, highlights: 230 })).toEqual([]);
    expect(hints({ edgeWidth: null })).toEqual([]);
  });

  test('name a screenshot, and say nothing else of it', () => {
    expect(hints({ ...SCREEN, brightness: 20, highlights: 60, edgeWidth: 2 })).toEqual(['SCREENSHOT']);
  });

  test('do not call a screenshot what a camera took, what is only flat, and what is only framed', () => {
    expect(hints(SCREEN, { hasCamera: true })).toEqual([]);
    expect(hints({ flatness: 0.9, ruledLines: 0 })).toEqual([]);
    expect(hints({ flatness: 0.1, ruledLines: 20 })).toEqual([]);
  });
});

describe('the suggested cover', () => {
  const photo = (id: string, score: number | null) => ({ id, score });

  test('is the best photo, when it is clearly better than the first', () => {
    expect(suggestCover([photo('a', 0.3), photo('b', 0.5), photo('c', 0.9)])?.id).toBe('c');
  });

  test('is none when the first is about as good, alone, or was never measured', () => {
    expect(suggestCover([photo('a', 0.8), photo('b', 0.85)])).toBeNull();
    expect(suggestCover([photo('a', 0.1)])).toBeNull();
    expect(suggestCover([])).toBeNull();
    expect(suggestCover([photo('a', null), photo('b', 1)])).toBeNull();
    expect(suggestCover([photo('a', 0.1), photo('b', null)])).toBeNull();
  });

  test('prefers a sharp, light, large photo with something in the middle, and none with a hint', () => {
    const score = (change: Partial<CoachMeasures>, facts: Partial<CoachFacts> = {}) =>
      coverScore({ ...GOOD, ...change }, { ...LARGE, ...facts });
    const good = score({});
    expect(good).toBeLessThanOrEqual(1);
    for (const worse of [
      score({ edgeWidth: 0.8 }),
      score({ brightness: 220 }),
      score({}, { width: 640, height: 480 }),
      score({ centred: 0.5 }),
      score(SCREEN),
    ])
      expect(worse).toBeLessThan(good - 0.03);
    expect(score({ edgeWidth: 1.2, centred: 1.6 })).toBeLessThan(good / 2);
  });
});
