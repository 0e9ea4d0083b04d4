import { lockFileAndItem, nextGeneration, updateFile } from '../../db/files.ts';
import { settleObjects } from '../../db/objects.ts';
import { openCase } from '../../db/review-cases.ts';
import type { Db, FileRow } from '../../db/schema.ts';
import { restoreOriginal } from '../../db/variants.ts';
import { isPublic } from '../../domain/file-state.ts';
import type { FindingSource } from '../../domain/finding.ts';
import { CASE_PRIORITY } from '../../domain/review-case.ts';
import type { ServiceDeps } from '../deps.ts';
import { holdBack } from '../removal.ts';
import type { ViewToKeep } from '../view-to-keep.ts';
import { withdrawKeepingView } from './kept-view.ts';

/** What the seller reads. */
const HIDDEN = {
  code: 'CONTENT_REJECTED',
  message: 'This photo is hidden until a moderator has looked at it.',
} as const;

/**
 * Takes a public photo out of the public until a person decides: its objects are withdrawn and its URLs probed as those of a
 * take-down, and it waits in review like one that was never published, in its place in the listing. Approved, it is public
 * again at once. Null when the photo has moved on, or `alongside` says so.
 *
 * @param alongside written in the same transaction, once the file is locked and before it changes
 */
export async function hide(
  deps: Pick<ServiceDeps, 'db' | 'storage' | 'deliverNow'>,
  file: FileRow,
  request: { readonly source: FindingSource; readonly alongside: (trx: Db) => Promise<boolean> },
): Promise<FileRow | null> {
  if (!isPublic(file.state)) return null;
  return withdrawKeepingView(deps, file, (trx, view) => commit(trx, file, view, request));
}

async function commit(
  trx: Db,
  file: FileRow,
  view: ViewToKeep | null,
  { source, alongside }: Parameters<typeof hide>[2],
): Promise<FileRow | null> {
  const locked = await lockFileAndItem(trx, file.id);
  if (locked === null || locked.state !== file.state || locked.generation !== file.generation) return null;
  // Archived or brought back meanwhile: another view is to be kept.
  if (locked.archive !== file.archive || !(await alongside(trx))) return null;
  // The change of state would open one that is less urgent and named after the last verdict.
  await openCase(trx, file.id, { source, priority: CASE_PRIORITY.hidden });
  const keep = view === null ? [] : [view.key];
  await holdBack(trx, locked, HIDDEN, { keep });
  if (view !== null) await restoreOriginal(trx, { ...view.original, key: view.key });
  await settleObjects(trx, keep);
  const generation = await nextGeneration(trx, file.id);
  const hash12 = view?.hash12 ?? locked.hash12;
  return updateFile(trx, { id: file.id, from: 'in_review', generation }, { hash12 });
}
