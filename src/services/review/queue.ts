import type { CaseRow } from '../../db/review-cases.ts';
import { countOpenCases, listOpenCases, type QueuePlace } from '../../db/review-queue.ts';
import { assertMayAdminister, type Principal } from '../../domain/access.ts';
import { StorageError } from '../../domain/errors.ts';
import type { ReviewService } from './contracts.ts';
import { cursorOf, parseCursor } from '../cursor.ts';
import { type EntryDeps, entriesOf } from './entries.ts';

/** A page of the review queue; each view whose address is given is written down first. */
export async function listReview(
  deps: EntryDeps,
  who: Principal,
  page: Parameters<ReviewService['listReview']>[1],
): ReturnType<ReviewService['listReview']> {
  assertMayAdminister(who, 'read_review');
  const cases = await listOpenCases(deps.db, {
    moderator: who.userId,
    ...(page.source !== undefined && { source: page.source }),
    ...(page.after !== undefined && { after: placeOf(page.after) }),
    limit: page.limit + 1,
  });
  const shown = cases.slice(0, page.limit);
  const last = shown.at(-1);
  return {
    photos: await entriesOf(deps, who, shown),
    next: cases.length > page.limit && last !== undefined ? markerOf(last) : null,
    count: await countOpenCases(deps.db, who.userId),
  };
}

/** A place in the queue as the marker of a page: its time, and `<priority>.<case>`. */
function markerOf(open: CaseRow): string {
  return cursorOf(open.opened_at, `${open.priority}.${open.id}`);
}

const PLACE = /^(\d)\.(\d{1,15})$/;

function placeOf(marker: string): QueuePlace {
  const { at, id } = parseCursor(marker, (text) => PLACE.test(text));
  const [, priority, caseId] = PLACE.exec(id) ?? [];
  if (caseId === undefined)
    throw new StorageError('INVALID_REQUEST', 'The page marker is not one that we gave.');
  return { priority: Number(priority), openedAt: at, id: Number(caseId) };
}
