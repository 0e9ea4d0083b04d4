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

/** What is known of a photo's past looks before anybody looks again. */
export interface PastLooks {
  /** Detectors that have to look: they never did, or their model is another one. */
  readonly unseen: readonly Detector[];
  /** Models outside that have another version by now than the one that saw it, with that: "rekognition 6.1". */
  readonly outdated: readonly string[];
  readonly known: readonly Detection[];
}

interface How {
  readonly policy: ModerationPolicy;
  readonly version: string;
  readonly signal: AbortSignal;
}

/**
 * Who has seen a photo, and who has to look. A detector of ours whose model has changed always looks; one that charges, whose
 * `latest` version is another, where the run was asked for it (`newModels`).
 */
export function pastLooks(
  { detectors }: Pick<ReplayDeps, 'detectors'>,
  file: JudgedFile,
  { latest, newModels }: { readonly latest: ReadonlyMap<string, string>; readonly newModels: boolean },
): PastLooks {
  const past = { analysis: file.analysis, scores: file.moderation?.scores ?? [] };
  const unseen: Detector[] = [];
  const known: Detection[] = [];
  const outdated: string[] = [];
  for (const detector of detectors) {
    const recalled = detector.recall(past);
    const older = recalled === null || !detector.isCharged ? [] : olderModels(recalled, latest);
    outdated.push(...older);
    if (recalled === null || (newModels && older.length > 0)) unseen.push(detector);
    else known.push(recalled);
  }
  return { unseen, outdated, known };
}

function olderModels({ versions }: Detection, latest: ReadonlyMap<string, string>): string[] {
  return Object.entries(versions).flatMap(([model, version]) =>
    version === 'none' || (latest.get(model) ?? version) === version ? [] : [`${model} ${version}`],
  );
}

/** Judges a photo by what is stored of it, and by what those see who have to look at the stored original again. */
export async function judgeAgain(
  deps: ReplayDeps,
  file: JudgedFile,
  { unseen, known }: PastLooks,
  how: How,
): Promise<SecondJudgement> {
  const by = { policy: how.policy, version: how.version, category: file.category };
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
