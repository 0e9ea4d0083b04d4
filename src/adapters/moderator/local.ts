import { StorageError } from '../../domain/errors.ts';
import type { Detection, Detector, ModerationLabel, PastDetection } from '../../ports/moderator.ts';

const NSFW_MODEL = 'nsfw-mobilenet-v2-mid';
const CLASSIFIER = 'efficientnet-lite0-int8';
/** A softmax adds up to 1; models that do not are broken, not sure. */
const SUM_TOLERANCE = 0.02;

type Analysis = NonNullable<PastDetection['analysis']>;

/** What it gives a number for. "drawing" is not used: 137 of 380 ordinary photos score above 0.5 (models/README.md). */
const SCORES: readonly { label: string; model: string; score: (seen: Analysis) => number }[] = [
  { label: 'porn', model: NSFW_MODEL, score: ({ nsfw }) => nsfw.porn },
  { label: 'hentai', model: NSFW_MODEL, score: ({ nsfw }) => nsfw.hentai },
  // One kind of explicit taken for another is still explicit.
  { label: 'explicit', model: NSFW_MODEL, score: ({ nsfw }) => nsfw.porn + nsfw.hentai },
  { label: 'sexy', model: NSFW_MODEL, score: ({ nsfw }) => nsfw.sexy },
  { label: 'gun', model: CLASSIFIER, score: ({ gun }) => gun },
];

/**
 * Says what the project's own models saw in the pixels, of the photo as a whole. MODERATOR_UNAVAILABLE when the scores
 * are not probabilities.
 *
 * @param current versions of the models that look at photos now; what others have seen is not recalled
 */
export function createLocalDetector({
  current,
}: {
  readonly current: Readonly<Record<string, string>>;
}): Detector {
  return {
    name: 'local',
    sees: ['pornography', 'suggestive pictures', 'firearms'],
    isCharged: false,
    async detect({ analysis }, signal) {
      if (signal?.aborted) throw new StorageError('ABORTED');
      return detectionOf(analysis);
    },
    recall({ analysis }) {
      const isCurrent = [NSFW_MODEL, CLASSIFIER].every((model) => analysis?.models[model] === current[model]);
      return analysis !== null && isCurrent ? detectionOf(analysis) : null;
    },
    ping: () => Promise.resolve(),
    close: () => Promise.resolve(),
  };
}

function detectionOf(analysis: Analysis): Detection {
  assertProbabilities(analysis);
  const labels = SCORES.map(
    ({ label, model, score }): ModerationLabel => ({
      label,
      confidence: Math.min(1, score(analysis)),
      region: null,
      model,
      version: analysis.models[model] ?? 'unknown',
    }),
  );
  return { labels, versions: analysis.models };
}

/** Nonsense is "not yet", never "clean". */
function assertProbabilities({ nsfw, gun }: Analysis): void {
  const scores = [nsfw.drawing, nsfw.hentai, nsfw.neutral, nsfw.porn, nsfw.sexy];
  const sum = scores.reduce((total, score) => total + score, 0);
  const isValid = [...scores, gun].every((score) => score >= 0 && score <= 1);
  if (!isValid || Math.abs(sum - 1) > SUM_TOLERANCE)
    throw new StorageError('MODERATOR_UNAVAILABLE', undefined, { details: { reason: 'no probabilities' } });
}
