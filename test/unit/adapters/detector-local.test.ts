import { describe, expect, it } from 'vitest';
import { createLocalDetector } from '#src/adapters/moderator/local.ts';
import type { ImageAnalysis } from '#src/ports/image-engine.ts';
import { analysisOf, SEEN_BY, UNASKED_IMAGE } from '#test/support/analysis.ts';

const detector = createLocalDetector({ current: SEEN_BY });
const detect = (analysis: ImageAnalysis) =>
  detector.detect({ image: UNASKED_IMAGE, analysis, category: null });

describe('the local detector', () => {
  it('gives a number for everything it can see, with the model that saw it', async () => {
    const { labels } = await detect(analysisOf({ porn: 0.25, hentai: 0.5 }, 0.125));
    expect(labels.map(({ label, confidence, version }) => [label, confidence, version])).toEqual([
      ['porn', 0.25, 'aaaaaaaaaaaa'],
      ['hentai', 0.5, 'aaaaaaaaaaaa'],
      ['explicit', 0.75, 'aaaaaaaaaaaa'],
      ['sexy', 0, 'aaaaaaaaaaaa'],
      ['gun', 0.125, 'bbbbbbbbbbbb'],
    ]);
  });

  it('makes nothing of "drawing"', async () => {
    const { labels } = await detect(analysisOf({ drawing: 1 }));
    expect(labels.every(({ confidence }) => confidence === 0)).toBe(true);
  });

  it('recalls what its models saw, and looks again once one of them has changed', async () => {
    const analysis = analysisOf({ porn: 0.25 });
    expect(detector.recall({ analysis, scores: [] })).toEqual(await detect(analysis));
    const older = { ...analysis, models: { ...SEEN_BY, 'nsfw-mobilenet-v2-mid': '000000000000' } };
    expect(detector.recall({ analysis: older, scores: [] })).toBeNull();
    expect(detector.recall({ analysis: null, scores: [] })).toBeNull();
  });

  it.each([
    ['no number', analysisOf({ porn: Number.NaN })],
    ['more than one', analysisOf({ porn: 1.5 })],
    ['less than nothing', analysisOf({ porn: -0.2 })],
    ['a sum that is not one', analysisOf({ neutral: 0.2 })],
    ['a gun that is no number', analysisOf({}, Number.NaN)],
  ] as const)('says that it cannot see when told %s', async (_name, analysis) => {
    await expect(detect(analysis)).rejects.toMatchObject({ code: 'MODERATOR_UNAVAILABLE', retryable: true });
  });
});
