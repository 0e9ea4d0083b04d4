import { DetectModerationLabelsCommand, RekognitionClient } from '@aws-sdk/client-rekognition';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { StorageError } from '#src/domain/errors.ts';
import type { Detection, Detector, ModerationLabel } from '#src/ports/moderator.ts';
import { renditionOf } from './rekognition/rendition.ts';
import { ourLabels } from './rekognition/taxonomy.ts';

export interface RekognitionOptions {
  readonly region: string;
  /** Another endpoint than the region's, for tests. */
  readonly endpoint?: string;
}

const MODEL = 'rekognition';
/** Percent. Below it labels are noise; from it on they are kept, so that a stricter policy has something to judge by. */
const MIN_CONFIDENCE = 20;
const CONNECT_MS = 2_000;
const ANSWER_MS = 15_000;
const TOO_SMALL = 'too_small_to_see';

/**
 * Amazon Rekognition (`DetectModerationLabels`), in the region that is named; photos leave for there as a JPEG of at most
 * 1200 px. It tells no place. What it charges for is one photo a call; calls are tried again by the job that needs the
 * answer, and by nobody else. A photo under 50 px it cannot take: it is given the label `too_small_to_see`, which is doubt.
 * Errors: MODERATOR_UNAVAILABLE for whatever keeps it from answering, ABORTED.
 */
export function createRekognitionDetector(options: RekognitionOptions): Detector {
  const client = new RekognitionClient({
    region: options.region,
    maxAttempts: 1,
    requestHandler: new NodeHttpHandler({ connectionTimeout: CONNECT_MS, requestTimeout: ANSWER_MS }),
    ...(options.endpoint !== undefined && { endpoint: options.endpoint }),
  });
  return {
    name: 'rekognition',
    sees: [
      'pornography',
      'nudity',
      'suggestive pictures',
      'firearms',
      'knives and other weapons',
      'violence',
      'blood and gore',
      'self-harm',
      'drugs',
      'tobacco',
      'alcohol',
      'gambling',
      'hate symbols',
      'rude gestures',
    ],
    isCharged: true,
    async detect({ image }, signal) {
      const bytes = await renditionOf(image, signal);
      if (bytes === null) return detectionOf(new Map([[TOO_SMALL, 1]]), 'none');
      const { version, labels } = await ask(client, bytes, signal);
      return detectionOf(ourLabels(labels), version);
    },
    recall({ scores }) {
      const labels = scores.filter(({ model }) => model === MODEL);
      const version = labels[0]?.version;
      return version === undefined ? null : { labels, versions: { [MODEL]: version } };
    },
    /** Each call costs: whether it answers is known by the next photo. */
    ping: () => Promise.resolve(),
    async close() {
      client.destroy();
    },
  };
}

async function ask(client: RekognitionClient, bytes: Uint8Array, signal: AbortSignal | undefined) {
  const command = new DetectModerationLabelsCommand({
    Image: { Bytes: bytes },
    MinConfidence: MIN_CONFIDENCE,
  });
  try {
    const answer = await client.send(command, signal === undefined ? {} : { abortSignal: signal });
    if (answer.ModerationModelVersion === undefined || answer.ModerationLabels === undefined)
      throw new StorageError('MODERATOR_UNAVAILABLE', undefined, {
        details: { reason: 'incomplete answer' },
      });
    const labels = answer.ModerationLabels.map(({ Name = '', ParentName = '', Confidence = Number.NaN }) => ({
      name: Name,
      parent: ParentName,
      confidence: percent(Confidence),
    }));
    return { version: answer.ModerationModelVersion, labels };
  } catch (error) {
    if (signal?.aborted) throw new StorageError('ABORTED', undefined, { cause: error });
    if (error instanceof StorageError) throw error;
    const reason = error instanceof Error ? error.name : 'unknown';
    throw new StorageError('MODERATOR_UNAVAILABLE', undefined, { cause: error, details: { reason } });
  }
}

/** Nonsense is "not yet", never "clean". */
function percent(value: number): number {
  if (value >= 0 && value <= 100) return value;
  throw new StorageError('MODERATOR_UNAVAILABLE', undefined, { details: { reason: 'no percentage' } });
}

/** A photo in which nothing is seen is remembered by a score of nothing: it was looked at, and has cost something. */
function detectionOf(found: ReadonlyMap<string, number>, version: string): Detection {
  const entries = found.size === 0 ? [[NOTHING, 0] as const] : [...found];
  const labels = entries.map(
    ([label, confidence]): ModerationLabel => ({ label, confidence, region: null, model: MODEL, version }),
  );
  return { labels, versions: { [MODEL]: version } };
}

const NOTHING = 'nothing';
