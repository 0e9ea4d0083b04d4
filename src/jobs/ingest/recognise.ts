import { addFindings, openCase } from '../../db/review-cases.ts';
import { hasFingerprint, insertFingerprint } from '../../db/fingerprints.ts';
import { addWarning } from '../../db/files.ts';
import { StorageError } from '../../domain/errors.ts';
import { DUPLICATE_IN_LISTING } from '../../domain/photo-match.ts';
import { CASE_PRIORITY } from '../../domain/review-case.ts';
import { type Recognition, recognise } from '../../services/fingerprints/recognise.ts';
import type { Step } from '../steps.ts';
import { type IngestWork, need } from './work.ts';

/**
 * Looks whether the photo was there before, once its own fingerprint is committed: of two that come at the same time one
 * finds the other. What a moderator has to see is kept with it. True when there is something. Errors: BANNED_IMAGE.
 */
export async function wasThereBefore(work: IngestWork): Promise<boolean> {
  const { isBanned, findings } = await keepRecognition(work, need(work.fingerprintId, 'fingerprint'));
  if (isBanned) throw new StorageError('BANNED_IMAGE');
  return findings.length > 0;
}

async function keepRecognition(work: IngestWork, own: number): Promise<Recognition> {
  const { deps, file } = work;
  const { fingerprint } = need(work.analysis, 'analysis');
  return deps.db.transaction().execute(async (trx) => {
    const found = await recognise(trx, file, fingerprint, { own, copies: deps.findCopies });
    await addFindings(trx, file.id, found.findings);
    if (found.isInListing) await addWarning(trx, file.id, DUPLICATE_IN_LISTING);
    return found;
  });
}

/**
 * A photo that a person published while machines were down has no fingerprint yet. What it shows that was there before makes
 * a case of it; it stays public until somebody decides.
 */
export const recogniseLate: Step<IngestWork> = {
  stage: 'derive',
  async run(work) {
    const { deps, file } = work;
    if (await hasFingerprint(deps.db, file.id)) return 'go on';
    const analysis = await need(work.image, 'image').analyse(work.signal);
    work.analysis = analysis;
    const own = await deps.db
      .transaction()
      .execute((trx) => insertFingerprint(trx, file.id, analysis.fingerprint));
    const { findings } = await keepRecognition(work, own);
    if (findings.length > 0)
      await openCase(deps.db, file.id, { source: 'fingerprint', priority: CASE_PRIORITY.usual });
    return 'go on';
  },
};
