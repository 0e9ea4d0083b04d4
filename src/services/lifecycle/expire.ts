import { lockFile, lockFileAndItem } from '../../db/files.ts';
import { isHeld, listHeldInTemporary } from '../../db/holds.ts';
import { listRefusedBefore } from '../../db/lifecycle.ts';
import { condemnObjects, findObjectOwner } from '../../db/objects.ts';
import { addToOutbox } from '../../db/outbox.ts';
import type { NamedObject } from '../../db/stored.ts';
import type { FileState } from '../../domain/file-state.ts';
import { isFileId } from '../../domain/ids.ts';
import { type ObjectKey, TEMPORARY_PREFIX } from '../../domain/keys.ts';
import { cutoff, RETENTION } from '../../domain/retention.ts';
import type { RunAction } from '../../domain/runs.ts';
import type { ListedObject } from '../../ports/object-store.ts';
import { remove } from '../removal.ts';
import { keepHeldUpload } from './held-upload.ts';
import { readBothSides } from './side-by-side.ts';
import { eachOf, type LifecycleDeps, type LifecycleWork, type Outcome, type Part, record } from './work.ts';

const PAGE = 200;
const LIMITS = { objects: PAGE, rows: 5 * PAGE };
const LANES = 3;
const DAY_MS = 86_400_000;
/** States in which somebody still reads the bytes under `temp/`, or the sweep deals with them. */
const STILL_AT_WORK: ReadonlySet<FileState> = new Set(['pending', 'received', 'checking', 'published']);

/** Photos that were refused or taken down, and whose time for an appeal is over. */
export const expireRefused: Part = {
  name: 'refused-photos',
  async page(deps, work, after) {
    const before = cutoff(RETENTION['refused-photos'], deps.clock.now());
    const files = await listRefusedBefore(deps.db, { before, after, limit: PAGE });
    const outcomes = await eachOf(deps, files, LANES, ({ fileId }) =>
      removeRefused(deps, work, fileId, before),
    );
    return { next: files.length < PAGE ? null : (files.at(-1)?.fileId ?? null), outcomes };
  },
};

async function removeRefused(
  deps: LifecycleDeps,
  work: LifecycleWork,
  fileId: string,
  before: Date,
): Promise<Outcome> {
  const done: Outcome = {
    action: { action: 'delete', subject: fileId, details: { rule: 'refused-photos' } },
    bytes: 0,
  };
  if (work.dryRun) return done;
  return deps.db.transaction().execute(async (trx): Promise<Outcome> => {
    const file = await lockFileAndItem(trx, fileId);
    const isDue =
      (file?.state === 'rejected' || file?.state === 'taken_down') &&
      file.finished_at !== null &&
      file.finished_at < before;
    if (!isDue) return { left: 'changed meanwhile' };
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
    const range = { prefix: TEMPORARY_PREFIX, after };
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
  if (row !== null && (row.state !== 'live' || row.held || STILL_AT_WORK.has(row.fileState))) return null;
  const details = { rule: 'temporary-objects', bytes: object.bytes, fileId: row?.fileId ?? null };
  const done = { action: { action: 'delete', subject: object.key, details }, bytes: object.bytes };
  if (row === null) return removeUnnamed(deps, work, object.key, done);
  if (work.dryRun) return done;
  return deps.db.transaction().execute(async (trx): Promise<Outcome> => {
    const file = await lockFile(trx, row.fileId);
    if (file === null || STILL_AT_WORK.has(file.state)) return { left: 'changed meanwhile' };
    const keys = await condemnObjects(trx, [object.key]);
    if (keys.length === 0) return { left: 'changed meanwhile' };
    await addToOutbox(trx, 'delete-objects', { fileId: file.id, keys, paths: [] });
    await record(trx, work, done.action);
    return done;
  });
}

/** Nobody names it; what lies beside an upload that is still on its way, parts of it, is the sweep's. */
async function removeUnnamed(
  deps: LifecycleDeps,
  work: LifecycleWork,
  key: ObjectKey,
  done: Outcome & { action: RunAction },
): Promise<Outcome> {
  const owner = key.split('/').find((segment) => isFileId(segment));
  return deps.db.transaction().execute(async (trx): Promise<Outcome> => {
    const file = owner === undefined ? null : await lockFile(trx, owner);
    if (file !== null && (STILL_AT_WORK.has(file.state) || (await isHeld(trx, file.id)))) return null;
    if ((await findObjectOwner(trx, key)) !== null) return { left: 'changed meanwhile' };
    if (work.dryRun) return done;
    await deps.storage.deleteFile(key, work.signal);
    await record(trx, work, done.action);
    return done;
  });
}

/** Multipart uploads and temporary files that nobody has written to for a day. The store knows them, we do not. */
export const abortAbandoned: Part = {
  name: 'abandoned-uploads',
  async page(deps, work) {
    if (work.dryRun) return { next: null, outcomes: [] };
    const rule = 'abandoned-uploads';
    const count = await deps.sweepIncomplete(RETENTION[rule].days * DAY_MS);
    if (count === 0) return { next: null, outcomes: [] };
    const action = { action: 'abort', subject: 'temp/', details: { rule, count } };
    await record(deps.db, work, action);
    return { next: null, outcomes: [{ action, bytes: 0 }] };
  },
};
