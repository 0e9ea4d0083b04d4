import { recordAccess } from '../../db/access-log.ts';
import { lockFile } from '../../db/files.ts';
import { type JudgedFile, replaceModeration } from '../../db/moderation-replay.ts';
import { addFindings, openCase } from '../../db/review-cases.ts';
import type { Db } from '../../db/schema.ts';
import type { ReplayChange } from '../../domain/moderation-replay.ts';
import { CASE_PRIORITY } from '../../domain/review-case.ts';
import { moderationFindings } from '../../services/moderation/findings.ts';
import { publishReviewed } from '../../services/publication.ts';
import type { RunContext } from '../runner.ts';
import type { ReplayDeps, SecondJudgement } from './look.ts';

/** Makes a change true, with the new verdict; one that moved on meanwhile stays as it is. Nothing is ever removed. */
export async function applyChange(
  deps: ReplayDeps,
  file: JudgedFile,
  change: ReplayChange | null,
  second: SecondJudgement,
  run: RunContext['run'],
): Promise<void> {
  const replace = (db: Db) => replaceModeration(db, file, { ...second, at: deps.clock.now(), runId: run.id });
  if (change === 'release') {
    await publishReviewed(deps, file, async (trx) => {
      await replace(trx);
      const details = { runId: run.id };
      await recordAccess(trx, { userId: run.requestedBy, action: 'photo.release', fileId: file.id, details });
    });
    return;
  }
  if (change !== 'open-case' && !second.isNewLook) return;
  await deps.db.transaction().execute(async (trx) => {
    await lockFile(trx, file.id);
    if (!(await replace(trx)) || change !== 'open-case') return;
    await addFindings(trx, file.id, moderationFindings(second.result));
    await openCase(trx, file.id, { source: 'moderation', priority: CASE_PRIORITY.usual });
  });
}
