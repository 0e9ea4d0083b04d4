import { hasDecision } from '../../db/review.ts';
import { addFindings, openCase } from '../../db/review-cases.ts';
import { hasFingerprint, insertFingerprint } from '../../db/fingerprints.ts';
import { addWarning, lockFile } from '../../db/files.ts';
import type { Db } from '../../db/schema.ts';
import { StorageError } from '../../domain/errors.ts';
import { isPublic } from '../../domain/file-state.ts';
import type { Fingerprint } from '../../domain/fingerprint.ts';
import { DUPLICATE_IN_LISTING } from '../../domain/photo-match.ts';
import { type Recognition, recognise, recogniseLater } from '../../services/fingerprints/recognise.ts';
import { hideDoubtful } from '../hide-doubtful.ts';
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
  const { fingerprint } = need(work.analysis, 'analysis');
  return work.deps.db.transaction().execute((trx) => keep(trx, work, { fingerprint, own }));
}

async function keep(
  trx: Db,
  { deps, file }: IngestWork,
  { fingerprint, own }: { readonly fingerprint: Fingerprint; readonly own: number },
): Promise<Recognition> {
  const found = await recognise(trx, file, fingerprint, { own, copies: deps.findCopies });
  await addFindings(trx, file.id, found.findings);
  if (found.isInListing) await addWarning(trx, file.id, DUPLICATE_IN_LISTING);
  return found;
}

/**
 * A photo that a person published while machines were down has no fingerprint yet. What it shows that was there before makes
 * a case of it; it stays public until somebody decides, unless the policy hides it. One that has gone meanwhile gets neither.
 * One that comes back after it was refused or taken down is looked for among those that were uploaded meanwhile.
 */
export const recogniseLate: Step<IngestWork> = {
  stage: 'derive',
  async run(work) {
    const { deps, file } = work;
    const isKnown = await hasFingerprint(deps.db, file.id);
    if (!isKnown && !(await lookLate(work))) return 'late';
    if (isKnown && deps.findCopies && (await hasDecision(deps.db, file.id, 'reject', 'takedown')))
      await lookAround(work);
    return (await hideDoubtful(deps, file)) ? 'late' : 'go on';
  },
};

/** In one: a fingerprint whose photo nobody has looked for would be taken for done when the work runs again. */
async function lookLate(work: IngestWork): Promise<boolean> {
  const { deps, file } = work;
  const fingerprint = await need(work.image, 'image').fingerprint(work.signal);
  return deps.db.transaction().execute(async (trx) => {
    const locked = await lockFile(trx, file.id);
    if (locked?.generation !== file.generation || !isPublic(locked.state)) return false;
    const own = await insertFingerprint(trx, file.id, fingerprint);
    const { findings } = await keep(trx, work, { fingerprint, own });
    if (findings.length > 0) await openCase(trx, file.id, { source: 'fingerprint' });
    return true;
  });
}

async function lookAround({ deps, file, image, signal }: IngestWork): Promise<void> {
  const fingerprint = await need(image, 'image').fingerprint(signal);
  const newer = await deps.db.transaction().execute(async (trx) => {
    const locked = await lockFile(trx, file.id);
    return locked !== null && isPublic(locked.state) ? recogniseLater(trx, file, fingerprint) : [];
  });
  for (const other of newer) await hideDoubtful(deps, other);
}
