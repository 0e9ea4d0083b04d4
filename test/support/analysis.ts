import type { DecodedImage, ImageAnalysis } from '#src/ports/image-engine.ts';
import { NO_FINDINGS } from './no-findings.ts';

/** Versions that `analysisOf` says its models have. */
export const SEEN_BY = { 'nsfw-mobilenet-v2-mid': 'aaaaaaaaaaaa', 'efficientnet-lite0-int8': 'bbbbbbbbbbbb' };

/** What the models could have seen: these scores, the rest neutral. */
export function analysisOf(scores: Partial<ImageAnalysis['nsfw']>, gun = 0): ImageAnalysis {
  const nsfw = { drawing: 0, hentai: 0, porn: 0, sexy: 0, neutral: 0, ...scores };
  const rest = 1 - nsfw.drawing - nsfw.hentai - nsfw.porn - nsfw.sexy;
  return {
    placeholder: '',
    nsfw: { ...nsfw, neutral: scores.neutral ?? rest },
    labels: [],
    gun,
    embedding: '',
    fingerprint: { hash: '0'.repeat(64), landmarks: [], look: '' },
    models: SEEN_BY,
  };
}

/** A picture whose pixels nobody asks for. */
export const UNASKED_IMAGE: DecodedImage = {
  facts: {
    width: 1,
    height: 1,
    sourceFormat: 'jpeg',
    hasAlpha: false,
    warnings: [],
    findings: NO_FINDINGS,
  },
  analyse: () => Promise.reject(new Error('not asked')),
  fingerprint: () => Promise.reject(new Error('not asked')),
  coach: () => Promise.reject(new Error('not asked')),
  encode: () => Promise.reject(new Error('not asked')),
  close: () => Promise.resolve(),
};
