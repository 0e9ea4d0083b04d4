import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FILE_KINDS } from '#src/domain/file-state.ts';
import {
  DEFAULT_ENCODER,
  type EncoderSettings,
  extensionOf,
  fitInside,
  formatOfExtension,
  MAX_EDGE,
  mediaTypeOf,
  OUTPUT_FORMATS,
  planVariants,
  recipeVersion,
} from '#src/domain/renditions.ts';

const anyEncoder: fc.Arbitrary<EncoderSettings> = fc.record({
  jpegQuality: fc.integer({ min: 1, max: 100 }),
  webpQuality: fc.integer({ min: 1, max: 100 }),
  webpEffort: fc.integer({ min: 0, max: 6 }),
  avif: fc.boolean(),
  avifQuality: fc.integer({ min: 1, max: 100 }),
  alphaOriginal: fc.constantFrom('webp', 'png'),
});

describe('a size inside a square', () => {
  const edge = fc.integer({ min: 1, max: 20_000 });
  const maxEdge = fc.constantFrom(...Object.values(MAX_EDGE));

  test('is never enlarged, never beyond the square, never empty, and keeps its shape within a pixel', () => {
    fc.assert(
      fc.property(edge, edge, maxEdge, (width, height, max) => {
        const size = fitInside(width, height, max);
        expect(size.width).toBeLessThanOrEqual(Math.min(width, max));
        expect(size.height).toBeLessThanOrEqual(Math.min(height, max));
        expect(Math.min(size.width, size.height)).toBeGreaterThanOrEqual(1);
        expect(Number.isInteger(size.width) && Number.isInteger(size.height)).toBe(true);
        const scale = Math.min(1, max / Math.max(width, height));
        expect(Math.abs(size.width - width * scale)).toBeLessThanOrEqual(1);
        expect(Math.abs(size.height - height * scale)).toBeLessThanOrEqual(1);
      }),
      { numRuns: 1000 },
    );
  });

  test('fills the square on its longer side, and is itself when it fits', () => {
    expect(fitInside(6000, 4000, 1200)).toEqual({ width: 1200, height: 800 });
    expect(fitInside(4000, 6000, 300)).toEqual({ width: 200, height: 300 });
    expect(fitInside(20, 10, 300)).toEqual({ width: 20, height: 10 });
    expect(fitInside(20_000, 1, 300)).toEqual({ width: 300, height: 1 });
  });
});

describe('the plan', () => {
  const names = (...args: Parameters<typeof planVariants>) =>
    planVariants(...args).map((variant) => `${variant.name}.${variant.format}`);

  test('of an item photo has an original and three sizes in two formats', () => {
    expect(names('item_photo', false, DEFAULT_ENCODER)).toEqual([
      'original.jpeg',
      'large.jpeg',
      'large.webp',
      'medium.jpeg',
      'medium.webp',
      'thumbnail.jpeg',
      'thumbnail.webp',
    ]);
  });

  test('of a profile photo has original and thumbnail, of a document nothing', () => {
    expect(names('profile_photo', false, DEFAULT_ENCODER)).toEqual([
      'original.jpeg',
      'thumbnail.jpeg',
      'thumbnail.webp',
    ]);
    expect(names('verification_document', true, DEFAULT_ENCODER)).toEqual([]);
  });

  test('keeps transparency in the original, and adds AVIF when it is on', () => {
    expect(names('profile_photo', true, { ...DEFAULT_ENCODER, avif: true, alphaOriginal: 'png' })).toEqual([
      'original.png',
      'thumbnail.jpeg',
      'thumbnail.webp',
      'thumbnail.avif',
    ]);
  });

  test('names every object once, the original first, for any settings', () => {
    fc.assert(
      fc.property(fc.constantFrom(...FILE_KINDS), fc.boolean(), anyEncoder, (kind, alpha, encoder) => {
        const made = names(kind, alpha, encoder);
        expect(new Set(made).size).toBe(made.length);
        expect(made.findIndex((name) => name.startsWith('original.'))).toBe(
          kind === 'verification_document' ? -1 : 0,
        );
        for (const variant of planVariants(kind, alpha, encoder))
          expect(variant.maxEdge).toBe(MAX_EDGE[variant.name]);
      }),
    );
  });
});

describe('the recipe', () => {
  const entries = (values: object) =>
    Object.entries(values)
      .map(([name, value]) => `${name}=${value}`)
      .toSorted((a, b) => (a < b ? -1 : 1));
  const versions = fc.dictionary(fc.stringMatching(/^[a-z]{1,8}$/), fc.stringMatching(/^[0-9.]{1,8}$/));

  test('is the same for the same settings, in whatever order the versions come', () => {
    fc.assert(
      fc.property(anyEncoder, versions, (encoder, engine) => {
        const turned = Object.fromEntries(Object.entries(engine).toReversed());
        expect(recipeVersion({ ...encoder }, turned)).toBe(recipeVersion(encoder, engine));
        const reordered = Object.fromEntries(Object.entries(encoder).toReversed());
        expect(recipeVersion({ ...encoder, ...reordered }, engine)).toBe(recipeVersion(encoder, engine));
      }),
    );
  });

  test('does not depend on the order in which the settings were written', () => {
    const { jpegQuality, webpQuality, webpEffort, avif, avifQuality, alphaOriginal } = DEFAULT_ENCODER;
    const written = { alphaOriginal, avifQuality, avif, webpEffort, webpQuality, jpegQuality };
    expect(recipeVersion(written, { sharp: '1' })).toBe(recipeVersion(DEFAULT_ENCODER, { sharp: '1' }));
  });

  test('is another one for any other setting or version', () => {
    fc.assert(
      fc.property(anyEncoder, anyEncoder, versions, versions, (one, other, old, fresh) => {
        const key = (encoder: EncoderSettings, engine: Record<string, string>) =>
          [...entries(encoder), '/', ...entries(engine)].join();
        expect(recipeVersion(one, old) === recipeVersion(other, fresh)).toBe(
          key(one, old) === key(other, fresh),
        );
      }),
    );
  });
});

test('formats, extensions and media types belong to each other', () => {
  for (const format of OUTPUT_FORMATS) {
    expect(formatOfExtension(extensionOf(format))).toBe(format);
    expect(mediaTypeOf(format)).toBe(`image/${format}`);
  }
  for (const extension of ['', 'jpeg', 'JPG', 'exe', 'constructor'])
    expect(formatOfExtension(extension)).toBeNull();
});
