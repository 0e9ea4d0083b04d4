import { z } from 'zod';
import { longestUnread, listLiveObjects, noteSeen, type StoredObject, surveyLive } from '../db/scrub.ts';
import { type ErrorCode, isStorageError, StorageError } from '../domain/errors.ts';
import type { RunAction } from '../domain/runs.ts';
import { inLanes } from '../services/in-lanes.ts';
import type { RunContext, RunHandler } from './runner.ts';
import { findDamage, markFound } from './scrub/damage.ts';
import type { ScrubDeps } from './scrub/deps.ts';
import { type Examined, examine } from './scrub/examine.ts';
import { mend } from './scrub/mend.ts';
import { recover } from './scrub/recover.ts';
import { newTally, Tally, tallyActions, tallyLook } from './scrub/tally.ts';
import { createThrottle } from './scrub/throttle.ts';

export type { ScrubDeps } from './scrub/deps.ts';

/** What a run of kind `scrub` is asked for. */
export const ScrubParams = z.object({
  /** Read all bytes. Otherwise only those of objects that look changed, or that nobody has read yet. */
  deep: z.boolean(),
  /** Only so many objects, of those that were looked at before the ones unread for so long: all of them over many such runs. */
  slice: z.object({ objects: z.int().positive(), unreadHours: z.number().nonnegative() }).optional(),
});
export type ScrubParams = z.infer<typeof ScrubParams>;

/** Where a scrub is. */
const Cursor = z.object({
  /** When it began, by the database's clock. */
  since: z.coerce.date(),
  total: z.int(),
  /** The last key of the walk by key. */
  after: z.string(),
  /** Files that were dealt with lately: their other objects come by in the same run. */
  handled: z.array(z.string()),
  tally: Tally,
});
type Cursor = z.infer<typeof Cursor>;

/** Objects between two checkpoints. */
const PAGE = 100;
/** Looks at one time: an object store far away answers many as fast as one. */
const LANES = 8;
const HANDLED_KEPT = 1000;
/** So many of a page that the store does not give mean that it is the store that fails. */
const UNREADABLE_OF_PAGE = 10;

/** Failures that end the run, to go on later, where others only leave one file as it is. */
const STOPS: ReadonlySet<ErrorCode> = new Set(['ABORTED', 'DATABASE_UNAVAILABLE']);

/**
 * Walks through all live objects, compares each with what the rows know, and mends what was changed or removed behind our
 * back: from a backup, or a rendition from its original. What it finds by the way of a file that is moving on is not
 * damage: everything is looked at twice, and changed only under the file's lock.
 */
export function scrubObjects(deps: ScrubDeps): RunHandler {
  return async (context) => {
    const params = ScrubParams.parse(context.params);
    const cursor = context.cursor === null ? await begin(deps, params) : Cursor.parse(context.cursor);
    const throttle = createThrottle(deps.scrub.bytesPerSecond);
    const scrub: Scrub = { deps, context, params, cursor, how: { throttle, signal: context.signal } };
    for (;;) {
      const page = await listLiveObjects(deps.db, walkOf(scrub), pageSize(scrub));
      if (page.length === 0) break;
      await checkPage(scrub, page);
    }
    return { ...cursor.tally, longestUnread: await longestUnread(deps.db) };
  };
}

interface Scrub {
  readonly deps: ScrubDeps;
  readonly context: RunContext;
  readonly params: ScrubParams;
  readonly cursor: Cursor;
  readonly how: { readonly throttle: ReturnType<typeof createThrottle>; readonly signal: AbortSignal };
}

async function begin({ db }: ScrubDeps, { slice }: ScrubParams): Promise<Cursor> {
  const { count, at } = await surveyLive(db);
  const total = slice === undefined ? count : Math.min(count, slice.objects);
  return { since: at, total, after: '', handled: [], tally: newTally() };
}

function walkOf({ params: { slice }, cursor }: Scrub): Parameters<typeof listLiveObjects>[1] {
  if (slice === undefined) return { by: 'key', after: cursor.after };
  return { by: 'age', before: new Date(cursor.since.getTime() - slice.unreadHours * 3_600_000) };
}

function pageSize({ params: { slice }, cursor }: Scrub): number {
  return Math.min(PAGE, (slice?.objects ?? Number.POSITIVE_INFINITY) - cursor.tally.checked);
}

async function checkPage(scrub: Scrub, page: readonly StoredObject[]): Promise<void> {
  const { deps, context, cursor } = scrub;
  const looks = await lookAtAll(scrub, page);
  await refuseFailingStore(scrub, looks);
  const suspects = new Set(
    looks.filter(({ is }) => is?.verdict === 'wrong').map(({ object }) => object.fileId),
  );
  for (const fileId of suspects) if (!cursor.handled.includes(fileId)) await dealWith(scrub, fileId);
  const actions = looks
    .filter(({ is }) => is === null)
    .map(({ object }) => ({ action: 'unreadable', subject: object.key }));
  if (!context.dryRun) {
    actions.push(...(await recoverAll(scrub, looks)));
    await noteSeen(
      deps.db,
      looks.flatMap((look) => seenOf(scrub, look)),
    );
  }
  for (const { is } of looks) tallyLook(cursor.tally, is);
  cursor.after = page.at(-1)?.key ?? cursor.after;
  await save(scrub, actions);
}

interface Look {
  readonly object: StoredObject;
  /** Null when the store did not give it. */
  readonly is: Examined | null;
}

async function lookAtAll({ deps, params, how }: Scrub, page: readonly StoredObject[]): Promise<Look[]> {
  const looks: Look[] = [];
  await inLanes(page, LANES, async (object) => {
    // What was damaged once is read, however it looks.
    const deep = params.deep || object.damagedAt !== null;
    looks.push({ object, is: await orNull(() => examine(deps, object, { ...how, deep })) });
  });
  return looks;
}

async function orNull<T>(work: () => Promise<T>): Promise<T | null> {
  try {
    return await work();
  } catch (error) {
    const isNotGiven =
      isStorageError(error, 'STORAGE_UNAVAILABLE') || isStorageError(error, 'VERSION_CONFLICT');
    if (!isNotGiven) throw error;
    return null;
  }
}

/** One object that cannot be read is noted; a store that does not answer is waited for. */
async function refuseFailingStore({ deps, how }: Scrub, looks: readonly Look[]): Promise<void> {
  const unreadable = looks.filter(({ is }) => is === null).length;
  if (unreadable === 0) return;
  await deps.primary.ping(how.signal);
  if (unreadable >= UNREADABLE_OF_PAGE) throw new StorageError('STORAGE_UNAVAILABLE');
}

/** Finds out what is wrong with all objects of a file, keeps that, mends it, and keeps what was done. */
async function dealWith(scrub: Scrub, fileId: string): Promise<void> {
  const { deps, context, cursor, how } = scrub;
  try {
    const damages = await findDamage(deps, fileId, how);
    const found = damages.map(({ object, finding: { kind, details } }) => ({
      action: kind,
      subject: object.key,
      details: { fileId, ...details },
    }));
    for (const { action, subject, details } of found)
      deps.log.error(
        { ...details, key: subject, found: action, alarm: 'damaged' },
        'a stored object is not as it was',
      );
    await save(scrub, found);
    if (!context.dryRun) await markFound(deps, damages);
    const actions = await mend(deps, damages, { ...how, dryRun: context.dryRun });
    cursor.handled = [...cursor.handled, fileId].slice(-HANDLED_KEPT);
    await save(scrub, actions);
    if (!context.dryRun && actions.length > 0) await deps.deliverNow(fileId);
  } catch (error) {
    if (how.signal.aborted || (isStorageError(error) && STOPS.has(error.code))) throw error;
    deps.log.error({ err: error, fileId }, 'a damaged file could not be mended');
    cursor.handled = [...cursor.handled, fileId].slice(-HANDLED_KEPT);
    const code = isStorageError(error) ? error.code : 'INTERNAL';
    await save(scrub, [{ action: 'fail', subject: fileId, details: { code } }]);
  }
}

/** Objects that were damaged and are right again: somebody put them back, or a scrub died before it could say so. */
async function recoverAll({ deps, cursor }: Scrub, looks: readonly Look[]): Promise<RunAction[]> {
  const actions: RunAction[] = [];
  for (const { object, is } of looks) {
    if (is?.verdict !== 'right' || object.damagedAt === null || cursor.handled.includes(object.fileId))
      continue;
    if (await recover(deps, object)) actions.push({ action: 'recover', subject: object.key });
  }
  return actions;
}

/** What the rows remember: of bytes that were right how they look, of others only that they were looked at. */
function seenOf({ params }: Scrub, { object, is }: Look): Parameters<typeof noteSeen>[1] {
  if (is?.isRead === true && is.info !== null && is.verdict === 'right')
    return [{ key: object.key, etag: is.info.etag, ...(is.sha256 !== undefined && { sha256: is.sha256 }) }];
  return params.deep ? [{ key: object.key }] : [];
}

async function save({ context, cursor }: Scrub, actions: readonly RunAction[]): Promise<void> {
  tallyActions(cursor.tally, actions);
  const { checked, bytes, damaged, missing } = cursor.tally;
  const note = `${Math.round(bytes / 1e6)} MB read, ${damaged + missing} objects damaged or missing`;
  const kept = { ...cursor, since: cursor.since.toISOString() };
  await context.checkpoint(kept, { done: checked, total: cursor.total, note }, actions);
}
