import type { Seen } from '../../db/object-checks.ts';
import type { StoredObject } from '../../db/scrub.ts';
import { isStorageError } from '../../domain/errors.ts';
import { inLanes } from '../../services/in-lanes.ts';
import type { ScrubDeps } from './deps.ts';
import { type Examined, examine, type ExamineOptions } from './examine.ts';
import type { OutageWatch } from './outage.ts';
import { endsRun } from './stops.ts';

export interface Look {
  readonly object: StoredObject;
  /** Null when the store did not give it. */
  readonly is: Examined | null;
}

/** At one time: an object store far away answers many as fast as one. */
const LANES = 8;

/**
 * Looks at the objects of a page. One that cannot be read is noted; a store that does not answer is waited for. Errors:
 * STORAGE_UNAVAILABLE, DATABASE_UNAVAILABLE, ABORTED.
 */
export async function lookAtAll(
  deps: ScrubDeps,
  page: readonly StoredObject[],
  how: ExamineOptions & { readonly watch: OutageWatch },
): Promise<Look[]> {
  const { watch } = how;
  const looks: Look[] = [];
  await inLanes(page, LANES, async (object) => {
    // What was damaged or could not be read once is read, however it looks.
    const deep = how.deep || object.damagedAt !== null || object.unreadSince !== null;
    const is = await orNull(deps, object, how, () => examine(deps, object, { ...how, deep }));
    looks.push({ object, is });
    if (is === null) await watch.failed();
    else watch.answered();
  });
  await watch.settle();
  return looks;
}

/** Null for an object that the store does not give, whatever its reason: it is one object, and others lie behind it. */
async function orNull(
  { log }: ScrubDeps,
  { key }: StoredObject,
  { signal }: ExamineOptions,
  work: () => Promise<Examined>,
): Promise<Examined | null> {
  try {
    return await work();
  } catch (error) {
    if (endsRun(error, signal)) throw error;
    const isForeseen =
      isStorageError(error, 'STORAGE_UNAVAILABLE') || isStorageError(error, 'VERSION_CONFLICT');
    if (!isForeseen) log.error({ err: error, key }, 'a stored object could not be looked at');
    return null;
  }
}

/** What the rows remember: of bytes that were right how they look, of others that they were looked at, or not given. */
export function seenOf({ object: { key }, is }: Look, deep: boolean): Seen[] {
  if (is === null) return [{ key, isUnread: true }];
  if (is.isRead && is.info !== null && is.verdict === 'right')
    return [{ key, etag: is.info.etag, ...(is.sha256 !== undefined && { sha256: is.sha256 }) }];
  return deep ? [{ key }] : [];
}
