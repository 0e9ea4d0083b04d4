import { decide, type ModerationPolicy, policyVersion } from '../../domain/moderation-policy.ts';
import type {
  Detection,
  Detector,
  ModerationResult,
  Moderator,
  PhotoToJudge,
} from '../../ports/moderator.ts';

export interface ModeratorOptions {
  /** Asked at the same time. */
  readonly detectors: readonly Detector[];
  readonly policy: ModerationPolicy;
  /** Called for each photo that a detector charges for. */
  readonly onCharge: (detector: string) => Promise<void>;
}

/**
 * Judges photos by what all its detectors see, together, under one policy. One that does not answer makes the whole
 * MODERATOR_UNAVAILABLE: what the others saw is no proof that it saw nothing.
 */
export function createModerator({ detectors, policy, onCharge }: ModeratorOptions): Moderator {
  const version = policyVersion(policy);
  const ask = async (detector: Detector, photo: PhotoToJudge, signal: AbortSignal) => {
    const detection = await detector.detect(photo, signal);
    if (detector.isCharged) await onCharge(detector.name);
    return detection;
  };
  return {
    name: namesOf(detectors),
    async moderate(photo, signal) {
      const failed = new AbortController();
      const either = signal === undefined ? failed.signal : AbortSignal.any([signal, failed.signal]);
      try {
        const detections = await Promise.all(detectors.map((detector) => ask(detector, photo, either)));
        return judge(detectors, detections, { policy, version, category: photo.category });
      } finally {
        failed.abort();
      }
    },
    async ping(signal) {
      await Promise.all(detectors.map((detector) => detector.ping(signal)));
    },
    async close() {
      await Promise.all(detectors.map((detector) => detector.close()));
    },
  };
}

/** The verdict on what these detectors saw, with all that a person needs who asks for its reasons a year later. */
export function judge(
  detectors: readonly Pick<Detector, 'name'>[],
  detections: readonly Detection[],
  by: { readonly policy: ModerationPolicy; readonly version: string; readonly category: string | null },
): ModerationResult {
  const scores = detections.flatMap(({ labels }) => labels);
  const versions: Record<string, string> = {};
  for (const detection of detections) Object.assign(versions, detection.versions);
  return {
    ...decide(by.policy, scores, by.category),
    scores,
    moderator: namesOf(detectors),
    versions,
    policy: { name: by.policy.name, version: by.version },
  };
}

function namesOf(detectors: readonly Pick<Detector, 'name'>[]): string {
  return detectors.map(({ name }) => name).join('+');
}
