import { createHash } from 'node:crypto';
import { StorageError } from '../../domain/errors.ts';
import { planVariants, recipeVersion } from '../../domain/renditions.ts';
import type { FileRow } from '../../db/schema.ts';
import type { DecodedImage, EncodedVariant, ImageAnalysis } from '../../ports/image-engine.ts';
import type { ModerationResult } from '../../ports/moderator.ts';
import { announceFor } from '../../services/announce.ts';
import type { JobDeps } from '../deps.ts';
import type { Advice } from './coach.ts';

/** What one run of the pipeline has found so far. Each field is set by one step and only read by later ones. */
export interface IngestWork {
  readonly deps: JobDeps;
  readonly signal: AbortSignal;
  /** In the names of what this run makes. */
  hash12: string;
  /** The row as this run last committed it. */
  file: FileRow;
  /** Set by `inspect`: the upload, read once. */
  bytes: Uint8Array | null;
  /** Set by `decode`, or by the derive job from the stored original; closed when the run ends. */
  image: DecodedImage | null;
  /** Begun by `decode`, so that it is made while the models look; whoever publishes or quarantines awaits it. */
  original: Promise<EncodedVariant> | null;
  /** Set by `moderate`. */
  analysis: ImageAnalysis | null;
  moderation: ModerationResult | null;
  /** Of the listing, as the photo was judged by. */
  category: string | null;
  /** Set by `derive`; null when the photo could not be measured. */
  advice: Advice | null;
  /** Set by `moderate`, with what the models saw. */
  fingerprintId: number | null;
  /** Keys this run has announced: removed again when it turns out to be late. */
  readonly announced: string[];
  /** Set by `derive`: what is in the store and waits for its commit. */
  readonly made: {
    readonly key: string;
    readonly bytes: number;
    readonly variant: Omit<EncodedVariant, 'data'>;
  }[];
}

export function newWork(deps: JobDeps, file: FileRow, signal: AbortSignal): IngestWork {
  return {
    deps,
    signal,
    hash12: hash12Of(deps, file, 'upload'),
    file,
    bytes: null,
    image: null,
    original: null,
    analysis: null,
    moderation: null,
    category: null,
    advice: null,
    fingerprintId: null,
    announced: [],
    made: [],
  };
}

/** What an earlier step must have set. */
export function need<T>(value: T | null, what: string): T {
  if (value === null) throw new StorageError('INTERNAL', undefined, { details: { missing: what } });
  return value;
}

export function planOf(work: IngestWork) {
  return planVariants(work.file.kind, need(work.image, 'image').facts.hasAlpha, work.deps.encoder);
}

/** Names keys before they are written, and remembers them. CONFLICT when the photo has moved on. */
export async function announce(work: IngestWork, keys: readonly string[]): Promise<void> {
  work.announced.push(...keys);
  const { id, state, generation } = work.file;
  if (!(await announceFor(work.deps.db, { id, from: state, generation }, keys)))
    throw new StorageError('CONFLICT', 'The photo has moved on.');
}

/**
 * First 12 hex digits of SHA-256(upload hash + recipe version): design §6. What is made from the stored original has
 * other bytes than what is made from the upload, so it gets other keys; what is `rebuilt` later, with whatever encoder
 * there is by then, is told apart by its own bytes.
 */
export function hash12Of(
  deps: Pick<JobDeps, 'encoder' | 'images'>,
  file: Pick<FileRow, 'upload_sha256'>,
  source: 'upload' | 'stored original' | `rebuilt ${string}`,
): string {
  const hash = createHash('sha256')
    .update(need(file.upload_sha256, 'upload hash'))
    .update(recipeVersion(deps.encoder, deps.images.versions));
  if (source !== 'upload') hash.update(source);
  return hash.digest('hex').slice(0, 12);
}
