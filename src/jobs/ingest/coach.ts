import { coverScore, hintsFor, type PhotoHint } from '../../domain/photo-coach.ts';
import { type IngestWork, need } from './work.ts';

/** What the seller is told of a photo, and how it would do as a cover. */
export interface Advice {
  readonly hints: readonly PhotoHint[];
  /** 0–1. */
  readonly score: number;
}

/**
 * Measures the photo once it is public and its sizes are made, so that nobody waits for it. It never stops a photo: one
 * that cannot be measured has no hints.
 */
export async function adviseOn(work: IngestWork): Promise<Advice | null> {
  const image = need(work.image, 'image');
  const { width, height } = image.facts;
  try {
    const measures = await image.coach(work.signal);
    const facts = { width, height, hasCamera: work.file.findings?.camera ?? false };
    return { hints: hintsFor(measures, facts), score: coverScore(measures, facts) };
  } catch (error) {
    if (work.signal.aborted) throw error;
    work.deps.log.warn({ err: error, fileId: work.file.id }, 'a photo could not be measured for its seller');
    return null;
  }
}
