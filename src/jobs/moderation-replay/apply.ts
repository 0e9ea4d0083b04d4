import { recordAccess } from '../../db/access-log.ts';
import { lockFile } from '../../db/files.ts';
import { type JudgedFile, replaceModeration } from '../../db/moderation-replay.ts';
import type { Db } from '../../db/schema.ts';
import type { ReplayChange } from '../../domain/moderation-replay.ts';
import { moderationFindings } from '../../services/moderation/findings.ts';
import { publishReviewed } from '../../services/publication.ts';
import { doubt } from '../../services/review/doubt.ts';
import type { RunContext } from '../runner.ts';
import type { ReplayDeps, SecondJudgement } from './look.ts';

/** Makes a change true, with the new verdict; one that moved on meanwhile stays as it is. Nothing is refused. */
export async function applyChange(
  deps: ReplayDeps,
  file: JudgedFile,
  change: ReplayChange | null,
  second: SecondJudgement,
  run: RunContext['run'],
): Promise<void> {
  const replace = (db: Db) => replaceModeration(db, file, { ...second, at: deps.clock.now(), runId: run.id });
  const by = { userId: run.requestedBy, details: { runId: run.id } };
  if (change === 'release') {
    await publishReviewed(deps, file, async (trx) => {
      await replace(trx);
      await recordAccess(trx, { ...by, action: 'photo.release', fileId: file.id });
    });
    return;
  }
  if (change === 'open-case' || change === 'hide') {
    const findings = moderationFindings(second.result);
    const isHidden = change === 'hide';
    await doubt(deps, file, { source: 'moderation', findings, isHidden, by, alongside: replace });
    return;
  }
  if (!second.isNewLook) return;
  await deps.db.transaction().execute(async (trx) => {
    await lockFile(trx, file.id);
    await replace(trx);
  });
}
