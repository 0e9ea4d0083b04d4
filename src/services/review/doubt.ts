import { recordAccess } from '../../db/access-log.ts';
import { lockFile } from '../../db/files.ts';
import { addFindings, openCase } from '../../db/review-cases.ts';
import type { Db, FileRow } from '../../db/schema.ts';
import { isPublic } from '../../domain/file-state.ts';
import type { Finding, FindingSource } from '../../domain/finding.ts';
import type { ServiceDeps } from '../deps.ts';
import { hide } from './hide.ts';

/** What machines doubt about a photo that is public. */
export interface Doubt {
  readonly source: FindingSource;
  /** Kept with the photo; may be more than what is doubtful. */
  readonly findings: readonly Finding[];
  /** Whether it is out of the public until a person decides. */
  readonly isHidden: boolean;
  /** Who had it looked at, and by which run: for the ledger. */
  readonly by: { readonly userId: string; readonly details?: Readonly<Record<string, unknown>> };
  /** Written in the same transaction, once the file is locked; false when that comes too late. */
  readonly alongside?: (trx: Db) => Promise<boolean>;
}

/** Puts a public photo before a person. False when it has moved on: then nothing is written. */
export async function doubt(
  deps: Pick<ServiceDeps, 'db' | 'storage' | 'deliverNow'>,
  file: FileRow,
  { source, findings, isHidden, by, alongside = () => Promise.resolve(true) }: Doubt,
): Promise<boolean> {
  const keep = async (trx: Db) => {
    if (!(await alongside(trx))) return false;
    await addFindings(trx, file.id, findings);
    return true;
  };
  if (isHidden) {
    const noted = async (trx: Db) => {
      if (!(await keep(trx))) return false;
      const labels = [...new Set(findings.map(({ label }) => label))];
      const details = { ...by.details, source, labels };
      await recordAccess(trx, { userId: by.userId, action: 'photo.hide', fileId: file.id, details });
      return true;
    };
    return (await hide(deps, file, { source, alongside: noted })) !== null;
  }
  return deps.db.transaction().execute(async (trx) => {
    const locked = await lockFile(trx, file.id);
    if (locked?.generation !== file.generation || !isPublic(locked.state)) return false;
    if (!(await keep(trx))) return false;
    await openCase(trx, file.id, { source });
    return true;
  });
}
