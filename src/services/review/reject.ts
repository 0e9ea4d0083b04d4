import { lockFileAndItem, updateFile } from '../../db/files.ts';
import type { Database, Db, FileRow } from '../../db/schema.ts';
import { listVariants } from '../../db/variants.ts';
import { fileId } from '../../domain/ids.ts';
import { quarantineRawKey } from '../../domain/keys.ts';
import type { ReasonCode } from '../../domain/review-reasons.ts';
import { end } from '../removal.ts';

/** A photo in review is refused; what an appeal needs stays in quarantine. Null when it is no longer in review. */
export async function reject(
  db: Database,
  file: FileRow,
  refusal: {
    readonly message: string;
    readonly reasonCode: ReasonCode | null;
    readonly alongside: (trx: Db) => Promise<void>;
  },
): Promise<FileRow | null> {
  return db.transaction().execute(async (trx) => {
    const locked = await lockFileAndItem(trx, file.id);
    if (locked?.state !== 'in_review') return null;
    await refusal.alongside(trx);
    const reason = { code: 'CONTENT_REJECTED', message: refusal.message } as const;
    await end(trx, locked, 'rejected', reason, { keep: await quarantined(trx, locked) });
    return updateFile(trx, { id: file.id, from: 'rejected' }, { content_reason: refusal.reasonCode });
  });
}

async function quarantined(db: Db, file: FileRow): Promise<string[]> {
  const variants = await listVariants(db, [file.id]);
  return [quarantineRawKey(fileId(file.id)), ...variants.map((variant) => variant.key)];
}
