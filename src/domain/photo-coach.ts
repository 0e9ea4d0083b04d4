/**
 * Hints for a seller: friendly, never a reason to refuse a photo, never shown to anybody but owner and staff. They stand
 * among the `warnings` of a photo. DUPLICATE_IN_LISTING comes from fingerprints.
 */
export const PHOTO_HINTS = ['BLURRY', 'DARK', 'TINY', 'SCREENSHOT', 'DUPLICATE_IN_LISTING'] as const;
export type PhotoHint = (typeof PHOTO_HINTS)[number];

export function isHint(code: string): code is PhotoHint {
  return PHOTO_HINTS.some((hint) => hint === code);
}

/** What is measured in the 800 px rendition of a photo, so that a seller can be told what would make it better. */
export interface CoachMeasures {
  /**
   * How wide edges are where they are narrowest, as the standard deviation of a Gaussian blur in pixels: about 0.5 for a
   * sharp photo. Null where hardly anything has an edge.
   */
  readonly edgeWidth: number | null;
  /** Mean luma, 0–255. */
  readonly brightness: number;
  /** Luma that a twentieth of the pixels is above, 0–255. */
  readonly highlights: number;
  /** Share of pixels that are exactly like their right and lower neighbours, 0–1. */
  readonly flatness: number;
  /** Rows and columns along a fifth of which an edge runs without a wobble, as a screen draws them. */
  readonly ruledLines: number;
  /** How much of what has edges lies in the middle (half of width and height), as a multiple of its share of the area. */
  readonly centred: number;
}

/** What is known of a photo beside its pixels. */
export interface CoachFacts {
  /** Of the sanitised original. */
  readonly width: number;
  readonly height: number;
  /** Whether the upload named a camera: a screenshot does not. */
  readonly hasCamera: boolean;
}

/** Edges wider than this in the 800 px rendition look blurred on a phone. */
const BLURRED_EDGE = 0.85;
/** Both below: a dark background with a lit thing on it is no dark photo. */
const DARK = { brightness: 60, highlights: 105 };
/** Longest edge in pixels below which a photo is blurred where it is shown large. */
const TINY_EDGE = 600;
/** What a screen draws: flat, and ruled. Either alone is also true of a cut-out thing, or of a framed photo. */
const DRAWN = { flatness: 0.4, ruledLines: 14 };

/** Thresholds by `node bench/coach.ts`; docs/storage/safety.md has the figures. */
export function hintsFor(measures: CoachMeasures, facts: CoachFacts): PhotoHint[] {
  const { edgeWidth, brightness, highlights, flatness, ruledLines } = measures;
  const isScreenshot = !facts.hasCamera && flatness >= DRAWN.flatness && ruledLines >= DRAWN.ruledLines;
  if (isScreenshot) return ['SCREENSHOT']; // how light a screen is, and how sharp, is its own affair
  return [
    ...(edgeWidth !== null && edgeWidth > BLURRED_EDGE ? (['BLURRY'] as const) : []),
    ...(brightness < DARK.brightness && highlights < DARK.highlights ? (['DARK'] as const) : []),
    ...(Math.max(facts.width, facts.height) < TINY_EDGE ? (['TINY'] as const) : []),
  ];
}

/** How well a photo would do as the cover of a listing, 0–1: sharpness, light, size, and something in the middle. */
export function coverScore(measures: CoachMeasures, facts: CoachFacts): number {
  const sharpness = measures.edgeWidth === null ? 0.3 : share(BLURRED_EDGE - measures.edgeWidth, 0.5);
  const light = 1 - share(Math.abs(measures.brightness - GOOD_LIGHT), GOOD_LIGHT);
  const size = share(Math.max(facts.width, facts.height), LARGE_EDGE);
  const centred = share(measures.centred, WELL_CENTRED);
  const hinted = hintsFor(measures, facts).length > 0 ? HINTED : 1;
  return hinted * (0.4 * sharpness + 0.25 * light + 0.15 * size + 0.2 * centred);
}

const GOOD_LIGHT = 130;
const LARGE_EDGE = 1200;
const WELL_CENTRED = 1.6;
/** A photo with a hint is a cover only where all others have one, too. */
const HINTED = 0.5;

function share(value: number, whole: number): number {
  return Math.min(1, Math.max(0, value / whole));
}

/** How much better another photo must be before the seller is bothered with it. */
const CLEARLY_BETTER = 0.1;

/** The photo that would do clearly better as the cover than the first one; null when there is none. */
export function suggestCover<P extends { readonly score: number | null }>(inOrder: readonly P[]): P | null {
  const [cover, ...others] = inOrder;
  if (cover?.score == null) return null;
  const [best] = others.toSorted((a, b) => (b.score ?? 0) - (a.score ?? 0));
  return best?.score != null && best.score >= cover.score + CLEARLY_BETTER ? best : null;
}
