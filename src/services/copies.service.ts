import { recordAccess } from '../db/access-log.ts';
import { deleteBanned, listBanned } from '../db/banned-pictures.ts';
import { findFile } from '../db/files.ts';
import { decideMatch, findMatch, type Pair } from '../db/photo-matches.ts';
import type { Db } from '../db/schema.ts';
import { assertMayAdminister, assertOwnsNeither, type Principal } from '../domain/access.ts';
import { StorageError } from '../domain/errors.ts';
import type { FileState } from '../domain/file-state.ts';
import type { MatchOutcome } from '../domain/review-case.ts';
import { cursorOf, parseCursor } from './cursor.ts';
import type { ServiceDeps } from './deps.ts';
import { followingFrom } from './fingerprints/match-outcome.ts';
import { carryOut } from './review/carry-out.ts';
import { alreadyDecided, type DecideDeps } from './review/note.ts';

/** A pair of photos that a moderator has decided on, with what became of each; null for a photo that is gone. */
export interface DecidedMatch {
  readonly id: number;
  readonly outcome: MatchOutcome;
  readonly newer: { readonly id: string; readonly state: FileState } | null;
  readonly older: { readonly id: string; readonly state: FileState } | null;
}

export interface BannedPicture {
  readonly id: number;
  readonly reasonCode: string;
  /** The photo that was taken down; null once it is deleted. */
  readonly fileId: string | null;
  readonly bannedBy: string;
  readonly bannedAt: string;
  /** Whether it is recognised: before that the ban waits for the fingerprint of its photo. */
  readonly isInForce: boolean;
}

export interface CopiesService {
  /**
   * Says what two photos of different owners that show the same are to each other, and does what follows: `not_a_copy` and
   * `same_owner` let the newer one go on unless something else speaks against it, `copied_by_newer` refuses it,
   * `copied_by_older` takes the older one down and lets the newer one go on: all of it, or nothing. NOT_FOUND,
   * ALREADY_DECIDED, FORBIDDEN, CLAIMED.
   */
  decideMatch(
    who: Principal,
    id: number,
    decision: { readonly outcome: MatchOutcome; readonly reason: string },
  ): Promise<DecidedMatch>;
  /** Pictures that may not come back, newest first. */
  listBanned(
    who: Principal,
    page: { after?: string; limit: number },
  ): Promise<{ pictures: readonly BannedPicture[]; next: string | null }>;
  /** Lets a picture come back. NOT_FOUND. */
  unban(who: Principal, id: number): Promise<void>;
}

/** Photos that were there before: copies between sellers, and pictures that are banned. */
export function createCopiesService(deps: DecideDeps): CopiesService {
  const { db } = deps;
  return {
    async decideMatch(who, id, decision) {
      assertMayAdminister(who, 'decide_match');
      const match = await findMatch(db, id);
      if (match === null) throw new StorageError('NOT_FOUND', 'There is no such pair of photos.');
      assertOwnsNeither(who, [match.newerOwner, match.olderOwner]);
      const following = await followingFrom(db, match, decision);
      const rulings = following.map((one) => ({ deps, who, ...one }));
      const made = await carryOut(deps, rulings, (trx) => noteOutcome(trx, who, match, decision));
      if (made === null) throw alreadyDecided();
      const [newer, older] = [await stateOf(deps, match.newerId), await stateOf(deps, match.olderId)];
      return { id, outcome: decision.outcome, newer, older };
    },

    async listBanned(who, page) {
      assertMayAdminister(who, 'read_banned');
      const after = page.after === undefined ? null : parseCursor(page.after, isRowId);
      const rows = await listBanned(db, {
        ...(after !== null && { after: { at: after.at, id: Number(after.id) } }),
        limit: page.limit + 1,
      });
      const shown = rows.slice(0, page.limit);
      const last = shown.at(-1);
      return {
        pictures: shown.map((row) => ({
          id: row.id,
          reasonCode: row.reason_code,
          fileId: row.file_id,
          bannedBy: row.banned_by,
          bannedAt: row.banned_at.toISOString(),
          isInForce: !row.is_waiting,
        })),
        next:
          rows.length > page.limit && last !== undefined ? cursorOf(last.banned_at, String(last.id)) : null,
      };
    },

    async unban(who, id) {
      assertMayAdminister(who, 'unban');
      await db.transaction().execute(async (trx) => {
        const row = await deleteBanned(trx, id);
        if (row === null) throw new StorageError('NOT_FOUND', 'There is no such banned picture.');
        const details = { bannedId: id, reasonCode: row.reason_code };
        await recordAccess(trx, {
          userId: who.userId,
          action: 'picture.unban',
          fileId: row.file_id,
          details,
        });
      });
    },
  };
}

const isRowId = (text: string) => /^\d{1,15}$/.test(text);

async function noteOutcome(
  trx: Db,
  who: Principal,
  match: Pair,
  { outcome, reason }: { readonly outcome: MatchOutcome; readonly reason: string },
): Promise<void> {
  if (!(await decideMatch(trx, match.id, { outcome, by: who.userId })))
    throw new StorageError('ALREADY_DECIDED', 'Somebody has decided on these two photos already.');
  await recordAccess(trx, {
    userId: who.userId,
    action: 'match.decide',
    fileId: match.newerId,
    details: { matchId: match.id, olderId: match.olderId, outcome, reason },
  });
}

async function stateOf({ db }: Pick<ServiceDeps, 'db'>, id: string): Promise<DecidedMatch['newer']> {
  const file = await findFile(db, id);
  return file === null || file.state === 'deleting' || file.state === 'deleted'
    ? null
    : { id, state: file.state };
}
