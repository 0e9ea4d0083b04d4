import { lockFile, lockFileAndItem } from '../../db/files.ts';
import { isHeld, listHeldInTemporary } from '../../db/holds.ts';
import { listRefusedBefore } from '../../db/lifecycle.ts';
import { condemnObjects, findObjectOwner } from '../../db/objects.ts';
import { addToOutbox } from '../../db/outbox.ts';
import type { Db, FileRow } from '../../db/schema.ts';
import type { NamedObject } from '../../db/stored.ts';
import type { FileState } from '../../domain/file-state.ts';
import { type FileId, fileId, isFileId } from '../../domain/ids.ts';
import { PREFIXES, quarantineRawKey } from '../../domain/keys.ts';
import { cutoff, RETENTION, type RetentionRuleId, retentionDue } from '../../domain/retention.ts';
import type { RunAction } from '../../domain/runs.ts';
import type { ListedObject } from '../../ports/object-store.ts';
import { remove } from '../removal.ts';
import { keepHeldUpload } from './held-upload.ts';
import { readBothSides } from './side-by-side.ts';
import { eachOf, type LifecycleDeps, type LifecycleWork, type Outcome, type Part, record } from './work.ts';

const PAGE = 200;
const LIMITS = { objects: PAGE, rows: 5 * PAGE };
const LANES = 3;

/** Photos that were refused or taken down, and whose time for an appeal is over. */
export const expireRefused: Part = {
  name: 'refused-photos',
  async page(deps, work, after) {
    const before = cutoff(RETENTION['refused-photos'], deps.clock.now());
    const files = await listRefusedBefore(deps.db, { before, after, limit: PAGE });
    const outcomes = await eachOf(deps, files, LANES, (file) =>
      removeRefused(deps, work, fileId(file.fileId)),
    );
    return { next: files.length < PAGE ? null : (files.at(-1)?.fileId ?? null), outcomes };
  },
};

async function removeRefused(deps: LifecycleDeps, work: LifecycleWork, id: FileId): Promise<Outcome> {
  const done: Outcome = {
    action: { action: 'delete', subject: id, details: { rule: 'refused-photos' } },
    bytes: 0,
  };
  if (work.dryRun) return done;
  return deps.db.transaction().execute(async (trx): Promise<Outcome> => {
    const file = await lockFileAndItem(trx, id);
    // What is kept of a refused photo lies in quarantine: one key stands for all of it.
    const kept = { key: quarantineRawKey(id), bytes: 0, modifiedAt: file?.created_at ?? new Date(0) };
    if (file === null || !isDue(deps, 'refused-photos', kept, await factsOf(trx, file)))
      return { left: 'changed meanwhile' };
    await remove(trx, file);
    await record(trx, work, done.action);
    return done;
  });
}

/** Uploaded bytes of held files are evidence: they leave temporary storage before it is emptied. */
export const keepHeldUploads: Part = {
  name: 'held-uploads',
  async page(deps, work, after) {
    const ids = await listHeldInTemporary(deps.db, { after, limit: PAGE });
    const next = ids.length < PAGE ? null : (ids.at(-1) ?? null);
    if (work.dryRun) return { next, outcomes: ids.map((id) => keeping(id)) };
    const outcomes = await eachOf(deps, ids, LANES, async (id) => {
      const isKept = await keepHeldUpload(deps, id, (trx) => record(trx, work, keeping(id).action));
      return isKept ? keeping(id) : { left: 'changed meanwhile' };
    });
    return { next, outcomes };
  },
};

function keeping(fileId: string) {
  return { action: { action: 'keep', subject: fileId, details: { rule: 'held-uploads' } }, bytes: 0 };
}

/** What has been under `temp/` for a day and nobody needs. What has a job or a sweep at work on it is theirs. */
export const expireTemporary: Part = {
  name: 'temporary-objects',
  async page(deps, work, after) {
    const range = { prefix: PREFIXES.temporary, after };
    const { objects, rows, next } = await readBothSides(deps, range, LIMITS, work.signal);
    const before = cutoff(RETENTION['temporary-objects'], deps.clock.now());
    const old = objects.filter((object) => object.modifiedAt < before);
    const named = new Map(rows.map((row) => [row.key, row]));
    const outcomes = await eachOf(deps, old, LANES, (object) =>
      expireOne(deps, work, object, named.get(object.key) ?? null),
    );
    return { next, outcomes };
  },
};

async function expireOne(
  deps: LifecycleDeps,
  work: LifecycleWork,
  object: ListedObject,
  row: NamedObject | null,
): Promise<Outcome> {
  if (row !== null && row.state !== 'live') return null;
  const named = row && { state: row.fileState, held: row.held, decidedAt: null };
  if (!isDue(deps, 'temporary-objects', object, named)) return null;
  const details = { rule: 'temporary-objects', bytes: object.bytes, fileId: row?.fileId ?? null };
  const done = { action: { action: 'delete', subject: object.key, details }, bytes: object.bytes };
  if (row === null) return removeUnnamed(deps, work, object, done);
  if (work.dryRun) return done;
  return deps.db.transaction().execute(async (trx): Promise<Outcome> => {
    const file = await lockFile(trx, row.fileId);
    if (file === null || !isDue(deps, 'temporary-objects', object, await factsOf(trx, file)))
      return { left: 'changed meanwhile' };
    const keys = await condemnObjects(trx, [object.key]);
    if (keys.length === 0) return { left: 'changed meanwhile' };
    await addToOutbox(trx, 'delete-objects', { fileId: file.id, keys, paths: [] });
    await record(trx, work, done.action);
    return done;
  });
}

/** Nobody names it; what lies beside an upload that is still on its way, parts of it, goes by that upload's file. */
async function removeUnnamed(
  deps: LifecycleDeps,
  work: LifecycleWork,
  object: ListedObject,
  done: Outcome & { action: RunAction },
): Promise<Outcome> {
  const { key } = object;
  const owner = key.split('/').find((segment) => isFileId(segment));
  return deps.db.transaction().execute(async (trx): Promise<Outcome> => {
    const file = owner === undefined ? null : await lockFile(trx, owner);
    const facts = file === null ? null : await factsOf(trx, file);
    if (!isDue(deps, 'temporary-objects', object, facts)) return null;
    if ((await findObjectOwner(trx, key)) !== null) return { left: 'changed meanwhile' };
    if (work.dryRun) return done;
    await deps.storage.deleteFile(key, work.signal);
    await record(trx, work, done.action);
    return done;
  });
}

interface Facts {
  readonly state: FileState;
  readonly held: boolean;
  readonly decidedAt: Date | null;
}

async function factsOf(db: Db, file: FileRow): Promise<Facts> {
  return { state: file.state, held: await isHeld(db, file.id), decidedAt: file.finished_at };
}

/** Whether the table of retention has that rule due for an object; `file` null for one that belongs to none. */
function isDue(
  { clock }: Pick<LifecycleDeps, 'clock'>,
  rule: RetentionRuleId,
  { key, bytes, modifiedAt }: Pick<ListedObject, 'key' | 'bytes' | 'modifiedAt'>,
  file: Facts | null,
): boolean {
  const due = retentionDue(
    {
      key,
      bytes,
      writtenAt: modifiedAt,
      classSince: modifiedAt,
      held: file?.held ?? false,
      file: file && { state: file.state, decidedAt: file.decidedAt, lastActivityAt: null, lastUsedAt: null },
    },
    clock.now(),
  );
  return due?.id === rule;
}
