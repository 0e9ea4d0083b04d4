import type { JudgedFile } from '../../db/moderation-replay.ts';
import { listVariants } from '../../db/variants.ts';
import { StorageError } from '../../domain/errors.ts';
import type { ModerationPolicy } from '../../domain/moderation-policy.ts';
import type { KeptAnalysis } from '../../ports/image-engine.ts';
import type { Detection, Detector, ModerationResult } from '../../ports/moderator.ts';
import { judge } from '../../services/moderation/moderator.ts';
import { readProven } from '../../services/storage/proven.ts';
import type { JobDeps } from '../deps.ts';
import { keptOf } from '../kept-analysis.ts';

export interface ReplayDeps extends JobDeps {
  readonly detectors: readonly Detector[];
  readonly onCharge: (detector: string) => Promise<void>;
}

export interface SecondJudgement {
  readonly result: ModerationResult;
  /** New where the photo had to be looked at again, else null. */
  readonly analysis: KeptAnalysis | null;
  readonly isNewLook: boolean;
}

interface How {
  readonly policy: ModerationPolicy;
  readonly version: string;
  /** Whether detectors that charge may be asked. */
  readonly mayCharge: boolean;
  readonly signal: AbortSignal;
}

/**
 * Judges a photo by what is stored of it; where a detector has not seen it yet or has another model by now, it looks at the
 * stored original again. Null where that would cost money and may not.
 */
export async function judgeAgain(
  deps: ReplayDeps,
  file: JudgedFile,
  how: How,
): Promise<SecondJudgement | null> {
  const past = { analysis: file.analysis, scores: file.moderation?.scores ?? [] };
  const recalled = deps.detectors.map((detector) => detector.recall(past));
  const unseen = deps.detectors.filter((_, at) => recalled[at] === null);
  if (!how.mayCharge && unseen.some(({ isCharged }) => isCharged)) return null;
  const by = { policy: how.policy, version: how.version, category: file.category };
  const known = recalled.filter((detection) => detection !== null);
  if (unseen.length === 0)
    return { result: judge(deps.detectors, known, by), analysis: null, isNewLook: false };
  const { detections, analysis } = await lookAgain(deps, file, unseen, how.signal);
  return { result: judge(deps.detectors, [...known, ...detections], by), analysis, isNewLook: true };
}

async function lookAgain(
  deps: ReplayDeps,
  file: JudgedFile,
  detectors: readonly Detector[],
  signal: AbortSignal,
): Promise<{ detections: Detection[]; analysis: KeptAnalysis }> {
  const bytes = await storedPhoto(deps, file, signal);
  const image = await deps.images.open(bytes, { kind: file.kind, signal });
  try {
    const analysis = await image.analyse(signal);
    const detections: Detection[] = [];
    for (const detector of detectors) {
      detections.push(await detector.detect({ image, analysis, category: file.category }, signal));
      if (detector.isCharged) await deps.onCharge(detector.name);
    }
    return { detections, analysis: keptOf(analysis) };
  } finally {
    await image.close();
  }
}

/** The sanitised original; the 1200 px rendition of one that is archived. */
async function storedPhoto(deps: ReplayDeps, file: JudgedFile, signal: AbortSignal): Promise<Uint8Array> {
  const variants = await listVariants(deps.db, [file.id]);
  const large = variants.find(({ name, format }) => name === 'large' && format === 'jpeg');
  const original = variants.find(({ name }) => name === 'original');
  const stored = file.archive === 'none' ? original : large;
  if (stored === undefined) throw new StorageError('NOT_FOUND', 'Nothing of the photo is stored.');
  return (await readProven(deps.storage, stored, signal)).bytes;
}
