import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';
import { countFindable, listPhotoFacts } from '../db/search-documents.ts';
import { isRunOpen } from '../db/runs.ts';
import { nextSearchVersion } from '../db/search-outbox.ts';
import { StorageError } from '../domain/errors.ts';
import {
  comparePage,
  type Difference,
  EMPTY_HASH,
  mend,
  stillDifferent,
  withHashes,
} from '../services/search/compare.ts';
import { documentOf } from '../services/search/documents.ts';
import type { FeedDeps } from '../services/search/feed.ts';
import type { RunsService } from '../services/runs.service.ts';
import { SCHEDULE } from './scheduled-runs.ts';
import type { RunContext, RunHandler } from './runner.ts';

const Cursor = z.object({
  /** The index that is made; of a dry run the one that is compared. */
  index: z.string(),
  step: z.enum(['fill', 'compare', 'switch']),
  after: z.string().nullable(),
  total: z.int(),
  /** Documents that are the same in the index and in the rows, and a hash of them. */
  same: z.int(),
  different: z.int(),
  hash: z.string(),
});
type Place = z.infer<typeof Cursor>;

/** Photos between two checkpoints. */
const PAGE = 500;
/** A dry run waits for the feed before it says that something differs. Milliseconds. */
const SETTLE_MS = 1500;
const SETTLE_TRIES = 4;

/**
 * A run of kind `search-rebuild`: makes an index beside the current one from the rows, while the feed writes every change to
 * both; compares it with the rows, document by document, and mends what differs; then searches ask the new one, and the old
 * one is removed. Goes on where it died. A dry run compares the current index with the rows and records what differs.
 */
export function rebuildSearch(deps: FeedDeps, { page = PAGE, settleMs = SETTLE_MS } = {}): RunHandler {
  return async (context) => {
    try {
      const place = context.cursor === null ? await begin(deps, context) : Cursor.parse(context.cursor);
      if (place.step === 'fill') await fill(deps, context, place, page);
      if (place.step === 'compare') await compare(deps, context, place, { limit: page, settleMs });
      if (!context.dryRun) await replace(deps, place.index);
      const { index, same, different, hash } = place;
      return { index, documents: same, different, hash };
    } catch (error) {
      // What a cancelled run has made is of no use to the next one, and would be written to until then.
      if (context.signal.reason === 'cancelled') await removeOthers(deps);
      throw error;
    }
  };
}

/** Has an index that is new and empty filled, unless that was asked for already. */
export async function fillWhenEmpty(
  deps: Pick<FeedDeps, 'db' | 'index'> & { readonly runs: Pick<RunsService, 'start'> },
): Promise<void> {
  if ((await deps.index.highestVersion()) > 0 || (await isRunOpen(deps.db, 'search-rebuild'))) return;
  const [first] = await listPhotoFacts(deps.db, { after: null, limit: 1 });
  if (first !== undefined) await deps.runs.start(SCHEDULE, 'search-rebuild', {}, { dryRun: false });
}

async function begin(deps: FeedDeps, { run, dryRun, checkpoint }: RunContext): Promise<Place> {
  const empty = { after: null, total: await countFindable(deps.db), same: 0, different: 0, hash: EMPTY_HASH };
  if (dryRun) {
    const [current = ''] = await deps.index.indexes();
    return { index: current, step: 'compare', ...empty };
  }
  await removeOthers(deps);
  const index = await deps.index.create(run.id.replaceAll('-', ''));
  const place: Place = { index, step: 'fill', ...empty };
  await checkpoint(place, { done: 0, total: place.total, note: 'filling the new index' });
  return place;
}

async function fill(
  { db, index, readColors }: FeedDeps,
  context: RunContext,
  place: Place,
  limit: number,
): Promise<void> {
  for (let done = 0; ; ) {
    // The version first: see `nextSearchVersion`.
    const version = await nextSearchVersion(db);
    const facts = await listPhotoFacts(db, { after: place.after, limit });
    const last = facts.at(-1);
    if (last === undefined) break;
    const entries = facts.map((row) => ({ id: row.id, version, document: documentOf(row, readColors) }));
    const { refused } = await index.write(place.index, entries);
    done += facts.length;
    place.after = last.id;
    const progress = { done, total: place.total, note: 'filling the new index' };
    const actions = refused.map(({ id, reason }) => ({
      action: 'refused',
      subject: id,
      details: { reason },
    }));
    await context.checkpoint(place, progress, actions);
  }
  Object.assign(place, { step: 'compare', after: null });
}

async function compare(
  deps: FeedDeps,
  context: RunContext,
  place: Place,
  { limit, settleMs }: { readonly limit: number; readonly settleMs: number },
): Promise<void> {
  await deps.index.refresh(place.index);
  for (;;) {
    const page = await comparePage(deps, place.index, { ...place, limit });
    const left = context.dryRun
      ? await settled(deps, place.index, page.differences, settleMs)
      : await mend(deps, place.index, page.differences);
    const isLeft = new Set(left.map(({ id }) => id));
    const mended = page.differences.filter(({ id }) => !isLeft.has(id));
    place.same += page.same + mended.filter(({ kind }) => kind !== 'surplus').length;
    place.different += left.length;
    place.hash = withHashes(
      page.hash,
      mended.map(({ hash }) => hash),
    );
    if (page.last === null) break;
    place.after = page.last;
    const done = Math.min(place.same + place.different, place.total);
    const progress = { done, total: place.total, note: 'comparing the index with the rows' };
    const actions = left.map(({ id, kind }) => ({ action: kind, subject: id }));
    await context.checkpoint(place, progress, actions);
  }
  if (!context.dryRun && place.different > 0)
    throw new StorageError(
      'CONFLICT',
      'Documents of the new index cannot be made the same as the rows: the old one stays.',
    );
  place.step = 'switch';
}

/** What is not merely on its way. */
async function settled(
  deps: FeedDeps,
  index: string,
  differences: readonly Difference[],
  settleMs: number,
): Promise<readonly Difference[]> {
  let left = differences;
  for (let tries = 0; left.length > 0 && tries < SETTLE_TRIES; tries += 1) {
    if (tries > 0) await pause(settleMs);
    left = await stillDifferent(deps, index, left);
  }
  return left;
}

async function replace(deps: FeedDeps, index: string): Promise<void> {
  await deps.index.makeCurrent(index);
  await removeOthers(deps);
}

async function removeOthers({ index }: FeedDeps): Promise<void> {
  const [, ...others] = await index.indexes();
  for (const other of others) await index.remove(other);
}
