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

type How = ExamineOptions & { readonly watch: OutageWatch };

/**
 * Looks at the objects of a page. One that cannot be read is noted; a store that does not answer is waited for. What was not
 * given is asked for once more, after the store has shown that it answers: it may have come back only then. Errors:
 * STORAGE_UNAVAILABLE, DATABASE_UNAVAILABLE, ABORTED.
 */
export async function lookAtAll(
  deps: ScrubDeps,
  page: readonly StoredObject[],
  how: How,
): Promise<readonly Look[]> {
  const looks = await lookAtEach(deps, page, how);
  // Of what was not given by an earlier run either nothing is learned by asking twice.
  const isInDoubt = ({ object, mayPass }: Tried) => mayPass && object.unreadSince === null;
  const inDoubt = looks.filter(isInDoubt).map(({ object }) => object);
  const again = await lookAtEach(deps, inDoubt, how);
  return [...looks.filter((look) => !isInDoubt(look)), ...again];
}

interface Tried extends Look {
  /** It was not given, for a reason that may be the store's. */
  readonly mayPass: boolean;
}

async function lookAtEach(deps: ScrubDeps, page: readonly StoredObject[], how: How): Promise<Tried[]> {
  const { watch } = how;
  const looks: Tried[] = [];
  await inLanes(page, LANES, async (object) => {
    const look = await lookAt(deps, object, how);
    looks.push(look);
    if (look.is === null) await watch.failed();
    else watch.answered();
  });
  await watch.settle();
  return looks;
}

/** An object that the store does not give, whatever its reason, is one object: others lie behind it. */
async function lookAt(deps: ScrubDeps, object: StoredObject, how: How): Promise<Tried> {
  // What was damaged or could not be read once is read, however it looks.
  const deep = how.deep || object.damagedAt !== null || object.unreadSince !== null;
  try {
    return { object, is: await examine(deps, object, { ...how, deep }), mayPass: false };
  } catch (error) {
    if (endsRun(error, how.signal)) throw error;
    const mayPass = isStorageError(error, 'STORAGE_UNAVAILABLE');
    if (!mayPass && !isStorageError(error, 'VERSION_CONFLICT'))
      deps.log.error({ err: error, key: object.key }, 'a stored object could not be looked at');
    return { object, is: null, mayPass };
  }
}

/** What the rows remember: of bytes that were right how they look, of others that they were looked at, or not given. */
export function seenOf({ object: { key }, is }: Look, deep: boolean): Seen[] {
  if (is === null) return [{ key, isUnread: true }];
  if (is.isRead && is.info !== null && is.verdict === 'right')
    return [{ key, etag: is.info.etag, ...(is.sha256 !== undefined && { sha256: is.sha256 }) }];
  return deep ? [{ key }] : [];
}
