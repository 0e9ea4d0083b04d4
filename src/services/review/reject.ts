import { lockFileAndItem, updateFile } from '../../db/files.ts';
import type { Db, FileRow } from '../../db/schema.ts';
import { listVariants } from '../../db/variants.ts';
import { fileId } from '../../domain/ids.ts';
import { quarantineRawKey } from '../../domain/keys.ts';
import type { ReasonCode } from '../../domain/review-reasons.ts';
import { type Prepared, rowsOnly } from '../prepared.ts';
import { end } from '../removal.ts';

/** A photo in review is refused; what an appeal needs stays in quarantine. */
export function prepareRejection(
  file: FileRow,
  refusal: {
    readonly message: string;
    readonly reasonCode: ReasonCode | null;
    readonly alongside: (trx: Db) => Promise<void>;
  },
): Prepared {
  return rowsOnly(file, async (trx) => {
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
