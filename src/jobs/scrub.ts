import { z } from 'zod';
import { noteSeen, surveyUnread } from '../db/object-checks.ts';
import { findStoppedRun } from '../db/runs.ts';
import { listLiveObjects, type StoredObject, surveyLive } from '../db/scrub.ts';
import { isStorageError } from '../domain/errors.ts';
import type { RunAction } from '../domain/runs.ts';
import type { RunContext, RunHandler } from './runner.ts';
import { type Damage, findDamage, markFound } from './scrub/damage.ts';
import type { ScrubDeps } from './scrub/deps.ts';
import { type Look, lookAtAll, seenOf } from './scrub/look.ts';
import { assertBelievable, missedBy } from './scrub/loss.ts';
import { mend } from './scrub/mend.ts';
import { createOutageWatch, type OutageWatch } from './scrub/outage.ts';
import { recover } from './scrub/recover.ts';
import { endsRun } from './scrub/stops.ts';
import { newTally, Tally, tallyActions, tallyLook } from './scrub/tally.ts';
import { isKnown } from './scrub/told.ts';
import { createThrottle } from './scrub/throttle.ts';

export type { ScrubDeps } from './scrub/deps.ts';

/** What a run of kind `scrub` is asked for. */
export const ScrubParams = z.object({
  /** Read all bytes. Otherwise only those of objects that look changed, or that nobody has read yet. */
  deep: z.boolean(),
  /** Only so many objects, of those that were looked at before the ones unread for so long: all of them over many such runs. */
  slice: z.object({ objects: z.int().positive(), unreadHours: z.number().nonnegative() }).optional(),
  /** Much of the store is lost, and people know it: what is missing is believed, however much it is. */
  acceptLoss: z.boolean().optional(),
});
export type ScrubParams = z.infer<typeof ScrubParams>;

/** Where a scrub is. */
const Cursor = z.object({
  /** When it began, by the database's clock. */
  since: z.coerce.date(),
  total: z.int(),
  /** Where the walk by key began; it ends there, too, having gone on from the first key behind the last one. */
  from: z.string().default(''),
  /** The last key of the walk by key. */
  after: z.string(),
  /** It has been at the last key and begins with the first one. */
  isRound: z.boolean().default(false),
  /** Files that were dealt with lately: their other objects come by in the same run. */
  handled: z.array(z.string()),
  /** Objects that were not there, and not known to be lost. */
  missed: z.int().nonnegative().default(0),
  tally: Tally,
});
type Cursor = z.infer<typeof Cursor>;

/** Objects between two checkpoints. */
const PAGE = 100;
const HANDLED_KEPT = 1000;

/** What is done of damage that an operator knows of, and that is as it was. */
const UNCHANGED: ReadonlySet<string> = new Set(['still-lost', 'leave']);

/**
 * Walks through all live objects, compares each with what the rows know, and mends what was changed or removed behind our
 * back: from a backup, or a rendition from its original. What it finds by the way of a file that is moving on is not
 * damage: everything is looked at twice, and changed only under the file's lock. It begins where the one before it failed.
 */
export function scrubObjects(deps: ScrubDeps): RunHandler {
  return async (context) => {
    const params = ScrubParams.parse(context.params);
    const cursor =
      context.cursor === null ? await begin(deps, context, params) : Cursor.parse(context.cursor);
    const throttle = createThrottle(deps.scrub.bytesPerSecond);
    const watch = createOutageWatch(deps, context.signal);
    const scrub: Scrub = { deps, context, params, cursor, watch, how: { throttle, signal: context.signal } };
    for (;;) {
      const page = await listLiveObjects(deps.db, walkOf(scrub), pageSize(scrub));
      if (page.length > 0) await checkPage(scrub, page);
      else if (!goRound(cursor)) break;
    }
    return { ...cursor.tally, ...(await surveyUnread(deps.db)) };
  };
}

interface Scrub {
  readonly deps: ScrubDeps;
  readonly context: RunContext;
  readonly params: ScrubParams;
  readonly cursor: Cursor;
  readonly watch: OutageWatch;
  readonly how: { readonly throttle: ReturnType<typeof createThrottle>; readonly signal: AbortSignal };
}

async function begin({ db }: ScrubDeps, { run }: RunContext, { slice }: ScrubParams): Promise<Cursor> {
  const { count, at } = await surveyLive(db);
  const total = slice === undefined ? count : Math.min(count, slice.objects);
  const stopped = slice === undefined ? await findStoppedRun(db, run.id) : null;
  const from = Cursor.safeParse(stopped?.cursor).data?.after ?? '';
  return { since: at, total, from, after: from, isRound: false, handled: [], missed: 0, tally: newTally() };
}

/** False when the walk is at its end. */
function goRound(cursor: Cursor): boolean {
  if (cursor.from === '' || cursor.isRound) return false;
  cursor.isRound = true;
  cursor.after = '';
  return true;
}

function walkOf({ params: { slice }, cursor }: Scrub): Parameters<typeof listLiveObjects>[1] {
  if (slice === undefined)
    return { by: 'key', after: cursor.after, until: cursor.isRound ? cursor.from : null };
  return { by: 'age', before: new Date(cursor.since.getTime() - slice.unreadHours * 3_600_000) };
}

function pageSize({ params: { slice }, cursor }: Scrub): number {
  return Math.min(PAGE, (slice?.objects ?? Number.POSITIVE_INFINITY) - cursor.tally.checked);
}

async function checkPage(scrub: Scrub, page: readonly StoredObject[]): Promise<void> {
  const { deps, context, params, cursor, watch, how } = scrub;
  const looks = await lookAtAll(deps, page, { ...how, deep: params.deep, watch });
  if (!context.dryRun && params.acceptLoss !== true) believe(scrub, looks);
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
      looks.flatMap((look) => seenOf(look, params.deep)),
    );
  }
  for (const { is } of looks) tallyLook(cursor.tally, is);
  cursor.missed += missedBy(looks);
  cursor.after = page.at(-1)?.key ?? cursor.after;
  await save(scrub, actions);
}

/** Errors: CONFLICT when too much is missing for this to be the store that the rows speak of. */
function believe({ deps, cursor: { missed, tally } }: Scrub, looks: readonly Look[]): void {
  try {
    assertBelievable(looks, { missed, checked: tally.checked });
  } catch (error) {
    deps.log.error({ err: error, alarm: 'store' }, 'too many stored objects are missing to be believed');
    throw error;
  }
}

/** Finds out what is wrong with all objects of a file, keeps that, mends it, and keeps what was done. */
async function dealWith(scrub: Scrub, fileId: string): Promise<void> {
  const { deps, context, cursor, how } = scrub;
  try {
    const { damages, unread } = await findDamage(deps, fileId, how);
    const now = deps.clock.now();
    const isNews = (damage: Damage) => !isKnown(damage, now);
    await say(scrub, damages.filter(isNews));
    if (!context.dryRun) await markFound(deps, damages);
    const actions = await mend(deps, damages, { ...how, dryRun: context.dryRun });
    const isStill = ({ object: { key } }: Damage) =>
      actions.some(({ action, subject }) => UNCHANGED.has(action) && subject === key);
    // Known so far, and something else has become of it.
    await say(
      scrub,
      damages.filter((damage) => !isNews(damage) && !isStill(damage)),
    );
    cursor.handled = [...cursor.handled, fileId].slice(-HANDLED_KEPT);
    await save(scrub, actions);
    if (!context.dryRun && actions.length > 0) await deps.deliverNow(fileId);
    // What could be mended is; the rest is for the next run.
    if (unread !== null) throw unread.error;
  } catch (error) {
    if (endsRun(error, how.signal)) throw error;
    deps.log.error({ err: error, fileId }, 'a damaged file could not be mended');
    cursor.handled = [...cursor.handled, fileId].slice(-HANDLED_KEPT);
    const code = isStorageError(error) ? error.code : 'INTERNAL';
    await save(scrub, [{ action: 'fail', subject: fileId, details: { code } }]);
  }
}

/** Tells of damage: in the log, as an alarm, and in the record of the run. */
async function say(scrub: Scrub, damages: readonly Damage[]): Promise<void> {
  if (damages.length === 0) return;
  const found = damages.map(({ object: { key, fileId }, finding: { kind, details } }) => ({
    action: kind,
    subject: key,
    details: { fileId, ...details },
  }));
  for (const { action, subject, details } of found)
    scrub.deps.log.error(
      { ...details, key: subject, found: action, alarm: 'damaged' },
      'a stored object is not as it was',
    );
  await save(scrub, found);
}

/** Objects that were damaged and are right again: somebody put them back, or a scrub died before it could say so. */
async function recoverAll({ deps, cursor, how }: Scrub, looks: readonly Look[]): Promise<RunAction[]> {
  const actions: RunAction[] = [];
  for (const { object, is } of looks) {
    if (is?.verdict !== 'right' || object.damagedAt === null || cursor.handled.includes(object.fileId))
      continue;
    if (await recover(deps, object, how.signal)) actions.push({ action: 'recover', subject: object.key });
  }
  return actions;
}

async function save({ context, cursor }: Scrub, actions: readonly RunAction[]): Promise<void> {
  tallyActions(cursor.tally, actions);
  const { checked, bytes, damaged, missing, unreadable } = cursor.tally;
  const bad = `${damaged + missing} objects damaged or missing, ${unreadable} not given by the store`;
  const note = `${Math.round(bytes / 1e6)} MB read, ${bad}`;
  const kept = { ...cursor, since: cursor.since.toISOString() };
  await context.checkpoint(kept, { done: checked, total: cursor.total, note }, actions);
}
