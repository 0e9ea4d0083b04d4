import { listAnchorKeys } from '../../db/audit/anchors.ts';
import { isStorageError } from '../../domain/errors.ts';
import type { StorageService } from '../storage.service.ts';
import type { Anchor, AuditDeps } from './anchors.ts';
import { PAGE } from './page.ts';
import type { Restores } from './restores.ts';
import type { AuditProblem } from './verdict.ts';

type Deps = AuditDeps & { readonly storage: Pick<StorageService, 'primaryInfo'> };

/** Noted in the database after it was put into the store: one that is noted is there. */
export async function checkAnchorsKept(
  { db, storage }: Deps,
  after: number,
  anchors: readonly Anchor[],
): Promise<AuditProblem | null> {
  const known = new Set(anchors.map(({ key }) => key));
  for (let place = after; ; ) {
    const rows = await listAnchorKeys(db, place, PAGE);
    for (const { key, seq } of rows) {
      place = seq;
      // It may have been written since they were listed.
      if (known.has(key) || (await exists(storage, key))) continue;
      return missing(seq, null, `The anchor ${key} is not in the object store any more.`);
    }
    if (rows.length < PAGE) return null;
  }
}

/** A row that says that a restore was accepted is worth nothing without the object that only the service could write. */
export function checkRestoresKept({ unfounded }: Restores): AuditProblem | null {
  const [first] = unfounded;
  if (first === undefined) return null;
  const { seq, entryId, key } = first;
  const message = `Row ${seq} says that a restore was accepted, and ${key} is not in the object store: it counts for nothing.`;
  return missing(seq, entryId, message);
}

function missing(seq: number, entryId: number | null, message: string): AuditProblem {
  return { damage: 'anchor_missing', seq, entryId, message };
}

async function exists(storage: Deps['storage'], key: string): Promise<boolean> {
  try {
    await storage.primaryInfo(key);
    return true;
  } catch (error) {
    if (isStorageError(error, 'NOT_FOUND')) return false;
    throw error;
  }
}
