import { StorageError } from '../../domain/errors.ts';
import { jsonText } from '../../db/json.ts';
import { updateFile } from '../../db/files.ts';
import { findItem } from '../../db/items.ts';
import { insertFingerprint } from '../../db/fingerprints.ts';
import { addFindings } from '../../db/review-cases.ts';
import { moderationFindings } from '../../services/moderation/findings.ts';
import { judgePhoto } from '../checks.ts';
import { keptOf } from '../kept-analysis.ts';
import type { Step } from '../steps.ts';
import { holdForReview, rejectContent } from './quarantine.ts';
import { wasThereBefore } from './recognise.ts';
import { type IngestWork, need } from './work.ts';

/** Models and fingerprints see the decoded pixels; the moderator decides what becomes of the photo. */
export const moderate: Step<IngestWork> = {
  stage: 'moderate',
  async run(work) {
    const { deps, file } = work;
    const image = need(work.image, 'image');
    work.analysis = await image.analyse(work.signal);
    const item = file.item_id === null ? null : await findItem(deps.db, file.item_id);
    work.category = item?.category ?? null;
    const photo = { image, analysis: work.analysis, category: work.category };
    work.moderation = await judgePhoto(deps, photo, work.signal);
    await record(work);
    const isForPerson = await wasThereBefore(work);
    if (work.moderation.verdict === 'reject') return rejectContent(work);
    if (work.moderation.verdict === 'publish' && !isForPerson) return 'go on';
    // The same words whatever it waits for: nobody learns that another seller has the same photo.
    return holdForReview(work, {
      code: 'CONTENT_REJECTED',
      message: 'A moderator looks at this photo first.',
    });
  },
};

/** What was seen, and what the photo is recognised by, is kept with the verdict, all or nothing. */
async function record(work: IngestWork): Promise<void> {
  const { deps, file } = work;
  const analysis = need(work.analysis, 'analysis');
  const { facts } = need(work.image, 'image');
  const moderation = need(work.moderation, 'moderation');
  const noted = await deps.db.transaction().execute(async (trx) => {
    const row = await updateFile(
      trx,
      { id: file.id, from: 'checking', generation: file.generation },
      {
        placeholder: analysis.placeholder,
        analysis: jsonText(keptOf(analysis)),
        moderation: jsonText({ ...moderation, at: deps.clock.now().toISOString() }),
        warnings: jsonText(facts.warnings),
        findings: jsonText(facts.findings),
        hash12: work.hash12,
      },
    );
    if (row === null) return null;
    await addFindings(trx, file.id, moderationFindings(moderation));
    work.fingerprintId = await insertFingerprint(trx, file.id, analysis.fingerprint);
    return row;
  });
  if (noted === null) throw new StorageError('CONFLICT', 'The photo has moved on.');
  work.file = noted;
}
