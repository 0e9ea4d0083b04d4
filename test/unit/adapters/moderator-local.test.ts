import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createLocalModerator } from '#src/adapters/moderator/local.ts';
import type { DecodedImage, ImageAnalysis } from '#src/ports/image-engine.ts';

const policy = {
  reviewPorn: 0.35,
  rejectPorn: 0.9,
  reviewHentai: 0.5,
  rejectHentai: 0.95,
  reviewSexy: 0.8,
  reviewGun: 0.1,
};
const moderator = createLocalModerator({ policy });
const image: DecodedImage = {
  facts: {
    width: 1,
    height: 1,
    sourceFormat: 'jpeg',
    hasAlpha: false,
    warnings: [],
    findings: {
      exif: false,
      gps: false,
      xmp: false,
      iptc: false,
      icc: false,
      comment: false,
      thumbnail: false,
      makerNotes: false,
      trailingBytes: 0,
    },
  },
  analyse: () => Promise.reject(new Error('not asked')),
  encode: () => Promise.reject(new Error('not asked')),
  close: () => Promise.resolve(),
};

function seen(scores: Partial<ImageAnalysis['nsfw']>, gun = 0): ImageAnalysis {
  const nsfw = { drawing: 0, hentai: 0, porn: 0, sexy: 0, neutral: 0, ...scores };
  const rest = 1 - nsfw.drawing - nsfw.hentai - nsfw.porn - nsfw.sexy;
  return {
    placeholder: '',
    nsfw: { ...nsfw, neutral: scores.neutral ?? rest },
    labels: [],
    gun,
    perceptualHash: '0'.repeat(64),
    embedding: '',
    models: { 'a-model': 'abc' },
  };
}
const judge = (analysis: ImageAnalysis) => moderator.moderate({ image, analysis, category: null });

describe('the local moderator', () => {
  it('publishes what no rule touches', async () => {
    expect(await judge(seen({ porn: 0.05, sexy: 0.3 }))).toMatchObject({ verdict: 'publish', labels: [] });
  });

  it.each([
    ['porn at the review mark', seen({ porn: 0.35 }), 'review', 'porn'],
    ['porn below certainty', seen({ porn: 0.89 }), 'review', 'porn'],
    ['certain porn', seen({ porn: 0.9 }), 'reject', 'porn'],
    ['hentai', seen({ hentai: 0.5 }), 'review', 'hentai'],
    ['certain hentai', seen({ hentai: 0.95 }), 'reject', 'hentai'],
    ['two halves of explicit', seen({ porn: 0.3, hentai: 0.3 }), 'review', 'explicit'],
    ['a suggestive picture, however sure', seen({ sexy: 1 }), 'review', 'sexy'],
    ['a gun, however sure', seen({}, 1), 'review', 'gun'],
  ] as const)('judges %s', async (_name, analysis, verdict, label) => {
    const result = await judge(analysis);
    expect(result.verdict).toBe(verdict);
    expect(result.labels.map((found) => found.label)).toContain(label);
  });

  it('makes nothing of "drawing"', async () => {
    expect(await judge(seen({ drawing: 1 }))).toMatchObject({ verdict: 'publish' });
  });

  it('names the strongest reason first, with models and policy', async () => {
    const { labels, versions } = await judge(seen({ porn: 0.4 }, 0.9));
    expect(labels.map(({ label }) => label)[0]).toBe('gun');
    expect(versions).toMatchObject({ 'a-model': 'abc', policy: JSON.stringify(policy) });
  });

  it('never publishes what reaches a mark, and never rejects below certainty', async () => {
    const share = fc.double({ min: 0, max: 0.5, noNaN: true });
    await fc.assert(
      fc.asyncProperty(
        share,
        share,
        fc.double({ min: 0, max: 1, noNaN: true }),
        async (porn, hentai, gun) => {
          const { verdict } = await judge(seen({ porn, hentai }, gun));
          const isMarked =
            porn >= policy.reviewPorn || hentai >= policy.reviewHentai || gun >= policy.reviewGun;
          expect(verdict === 'review' || (verdict === 'publish' && !isMarked)).toBe(true);
        },
      ),
    );
  });

  it.each([
    ['no number', seen({ porn: Number.NaN })],
    ['more than one', seen({ porn: 1.5 })],
    ['less than nothing', seen({ porn: -0.2 })],
    ['a sum that is not one', seen({ neutral: 0.2 })],
    ['a gun that is no number', seen({}, Number.NaN)],
  ] as const)('gives no verdict on %s', async (_name, analysis) => {
    await expect(judge(analysis)).rejects.toMatchObject({ code: 'MODERATOR_UNAVAILABLE', retryable: true });
  });
});
