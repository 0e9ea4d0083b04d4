import { fileId } from '../../domain/ids.ts';
import { type ObjectKey, quarantineRawKey, quarantineViewKey } from '../../domain/keys.ts';
import { jsonText } from '../../db/json.ts';
import { findFile, lockFileAndItem, transition } from '../../db/files.ts';
import { condemnTemporary, settleObjects } from '../../db/objects.ts';
import { addToOutbox } from '../../db/outbox.ts';
import type { Db } from '../../db/schema.ts';
import { insertVariants } from '../../db/variants.ts';
import type { EncodedVariant } from '../../ports/image-engine.ts';
import { end, type Reason } from '../../services/removal.ts';
import type { StepResult } from '../steps.ts';
import { withRaw } from './raw.ts';
import { originalOf, putVariant } from './store.ts';
import { announce, type IngestWork, need } from './work.ts';

/** checking → in_review: raw bytes and a sanitised view go to quarantine, a person decides. */
export async function holdForReview(work: IngestWork, reason: Reason): Promise<StepResult> {
  return quarantine(work, (db) =>
    transition(db, { id: work.file.id, from: 'checking', generation: work.file.generation }, 'in_review', {
      stage: null,
      deadline_at: null,
      hash12: work.hash12,
      reason_code: reason.code,
      reason_message: reason.message,
      ...seenOf(work),
    }),
  );
}

/** What `moderate` notes, where it has not run because a check was down; else warnings may have been added since. */
function seenOf({ file, image }: IngestWork) {
  if (file.findings !== null) return {};
  const { findings, warnings } = need(image, 'image').facts;
  return { findings: jsonText(findings), warnings: jsonText(warnings) };
}

/** checking → rejected for its content: kept in quarantine, so that an appeal can be judged. */
export async function rejectContent(work: IngestWork): Promise<StepResult> {
  const reason: Reason = {
    code: 'CONTENT_REJECTED',
    message: 'This photo shows something that may not be offered here.',
  };
  return quarantine(work, async (db, keys) => {
    const file = await findFile(db, work.file.id);
    if (file?.state !== 'checking' || file.generation !== work.file.generation) return null;
    return end(db, file, 'rejected', reason, { keep: keys, mayBeWritten: false });
  });
}

type Commit = (db: Db, keys: readonly string[]) => Promise<object | null>;

async function quarantine(work: IngestWork, commit: Commit): Promise<StepResult> {
  const { deps, file } = work;
  const id = fileId(file.id);
  const view = await originalOf(work);
  const rawKey = quarantineRawKey(id);
  const viewKey = quarantineViewKey(id, work.hash12, view.format);
  const keys = [rawKey, viewKey];
  await announce(work, keys);
  await withRaw(deps.db, file, async (raw) => {
    if (raw === rawKey || file.upload_etag === null) return;
    await deps.storage.copyFile(raw, rawKey, { ifMatch: file.upload_etag, signal: work.signal });
  });
  await putVariant(work, viewKey, view);
  const committed = await deps.db.transaction().execute(async (trx) => {
    await lockFileAndItem(trx, file.id);
    const done = await commit(trx, keys);
    if (done === null) return false;
    await nameQuarantined(trx, work, keys, viewKey, view);
    return true;
  });
  return committed ? 'stop' : 'late';
}

async function nameQuarantined(
  db: Db,
  work: IngestWork,
  keys: readonly string[],
  viewKey: ObjectKey,
  view: EncodedVariant,
): Promise<void> {
  const id = fileId(work.file.id);
  await insertVariants(db, id, [{ key: viewKey, variant: view, bytes: view.data.length }]);
  await settleObjects(db, keys);
  const condemned = await condemnTemporary(db, id);
  await addToOutbox(db, 'delete-objects', { fileId: id, keys: condemned, paths: [] });
}
