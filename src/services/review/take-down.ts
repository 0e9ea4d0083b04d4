import { lockFileAndItem, nextGeneration, updateFile } from '../../db/files.ts';
import { settleObjects } from '../../db/objects.ts';
import { moveReports } from '../../db/photo-reports.ts';
import { openCase, openCaseOf } from '../../db/review-cases.ts';
import type { Db, FileRow } from '../../db/schema.ts';
import { restoreOriginal } from '../../db/variants.ts';
import { isPublic } from '../../domain/file-state.ts';
import type { ReasonCode } from '../../domain/review-reasons.ts';
import type { ServiceDeps } from '../deps.ts';
import type { Prepared } from '../prepared.ts';
import { end } from '../removal.ts';
import type { ViewToKeep } from '../view-to-keep.ts';
import { prepareKeepingView, withdrawKeepingView } from './kept-view.ts';

type Deps = Pick<ServiceDeps, 'db' | 'storage' | 'deliverNow'>;

/** Why a public photo is withdrawn, and who is to look at it again. */
export interface TakeDown {
  /** What the seller reads. */
  readonly message: string;
  readonly reasonCode: ReasonCode | null;
  readonly secondLook: {
    readonly priority: number;
    readonly notBy?: string;
    /** From when on it is for that moderator, too. */
    readonly forAllAt?: Date;
  };
  /** Written in the transaction of the take-down, once the file is locked and before it changes. */
  readonly alongside: (trx: Db) => Promise<void>;
}

/**
 * Nothing of the photo stays public; its sanitised view stays in quarantine for the second look, which is opened with it,
 * and for an appeal. Null when the photo has moved on.
 */
export async function takeDown(deps: Deps, file: FileRow, request: TakeDown): Promise<FileRow | null> {
  if (!isPublic(file.state)) return null;
  return withdrawKeepingView(deps, file, (trx, view) => commit(trx, file, view, request));
}

/** As `takeDown`, up to the transaction. */
export async function prepareTakeDown(
  deps: Pick<Deps, 'db' | 'storage'>,
  file: FileRow,
  request: TakeDown,
): Promise<Prepared | null> {
  if (!isPublic(file.state)) return null;
  return prepareKeepingView(deps, file, (trx, view) => commit(trx, file, view, request));
}

async function commit(
  trx: Db,
  file: FileRow,
  view: ViewToKeep | null,
  request: TakeDown,
): Promise<FileRow | null> {
  const locked = await lockFileAndItem(trx, file.id);
  if (locked === null || !isPublic(locked.state) || locked.generation !== file.generation) return null;
  // Archived or brought back meanwhile: another view is to be kept.
  if (locked.archive !== file.archive) return null;
  await request.alongside(trx);
  const before = await openCaseOf(trx, file.id);
  const keep = view === null ? [] : [view.key];
  const reason = { code: 'CONTENT_REJECTED', message: request.message } as const;
  await end(trx, locked, 'taken_down', reason, { keep });
  if (view !== null) await restoreOriginal(trx, { ...view.original, key: view.key });
  await settleObjects(trx, keep);
  const generation = await nextGeneration(trx, file.id);
  const down = await updateFile(
    trx,
    { id: file.id, from: 'taken_down', generation },
    { content_reason: request.reasonCode, ...(view !== null && { hash12: view.hash12 }) },
  );
  // Where no view is left there is nothing to look at.
  if (view === null) return down;
  const secondLook = await openCase(trx, file.id, { source: 'second_look', ...request.secondLook });
  if (before !== null) await moveReports(trx, before.id, secondLook);
  return down;
}
