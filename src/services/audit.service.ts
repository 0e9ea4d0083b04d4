import { recordAccess } from '../db/access-log.ts';
import type { EntryPlace } from '../db/audit/chain.ts';
import { type EntryFilter, listEntries } from '../db/audit/entries.ts';
import { assertMayAdminister, type Principal } from '../domain/access.ts';
import { StorageError } from '../domain/errors.ts';
import type { Database } from '../db/schema.ts';
import { acceptRestore, listRestores, type OpenRestore } from './audit/accept-restore.ts';
import type { RestorePoint } from './audit/restores.ts';
import { type AuditVerdict, inShort } from './audit/verdict.ts';
import { type VerifyDeps, verifyLedger } from './audit/verify.ts';

export type { OpenRestore } from './audit/accept-restore.ts';
export type { RestorePoint } from './audit/restores.ts';
export type { AuditVerdict } from './audit/verdict.ts';

/** One entry of the ledger, as an admin reads it. */
export interface AuditEntry {
  readonly id: number;
  readonly at: string;
  readonly userId: string;
  readonly action: string;
  readonly fileId: string | null;
  readonly details: Readonly<Record<string, unknown>>;
  /** Its place in the chain; null until it is sealed, within a second. */
  readonly seq: number | null;
}

export interface AuditService {
  /** Newest first. That somebody read it is an entry too. FORBIDDEN, INVALID_REQUEST. */
  list(
    who: Principal,
    filter: EntryFilter,
    page: { after?: string; limit: number },
  ): Promise<{ entries: readonly AuditEntry[]; next: string | null }>;
  /**
   * Verifies what was sealed since the last anchor, and that nothing stands outside the chain. What lies before is
   * verified by a run of kind `verify-audit`. FORBIDDEN, STORAGE_UNAVAILABLE while the anchors cannot be read.
   */
  verifyRecent(who: Principal): Promise<AuditVerdict>;
  /**
   * Restores of the database that were accepted, and the one, if any, that is left to be. That somebody read it is an entry
   * too. FORBIDDEN, STORAGE_UNAVAILABLE.
   */
  restores(
    who: Principal,
  ): Promise<{ readonly accepted: readonly RestorePoint[]; readonly open: OpenRestore | null }>;
  /**
   * Accepts that a restore has lost the rows behind the anchor `lastGood` (null: behind none), which has to be the one that
   * `restores` names. FORBIDDEN, CONFLICT when there is nothing to accept or the rest is damaged, VERSION_CONFLICT.
   */
  acceptRestore(
    who: Principal,
    restore: { readonly lastGood: string | null; readonly reason: string },
  ): Promise<RestorePoint>;
}

export function createAuditService(deps: VerifyDeps & { readonly db: Database }): AuditService {
  return {
    async list(who, filter, { after, limit }) {
      assertMayAdminister(who, 'read_audit');
      const before = after === undefined ? undefined : parsePlace(after);
      await recordAccess(deps.db, {
        userId: who.userId,
        action: 'audit.read',
        fileId: filter.fileId ?? null,
        details: { ...filter },
      });
      const rows = await listEntries(deps.db, filter, {
        ...(before !== undefined && { before }),
        limit: limit + 1,
      });
      const shown = rows.slice(0, limit);
      const last = shown.at(-1);
      return {
        entries: shown.map(({ id, at, userId, action, fileId, details, seq }) => ({
          id,
          at: at.toISOString(),
          userId,
          action,
          fileId,
          details,
          seq,
        })),
        next: rows.length > limit && last !== undefined ? `${last.atUs}-${last.id}` : null,
      };
    },

    async verifyRecent(who) {
      assertMayAdminister(who, 'verify_audit');
      const verdict = await verifyLedger(deps, { from: 'last_anchor' });
      await recordAccess(deps.db, {
        userId: who.userId,
        action: 'audit.verify',
        fileId: null,
        details: inShort(verdict),
      });
      return verdict;
    },

    async restores(who) {
      assertMayAdminister(who, 'verify_audit');
      await recordAccess(deps.db, {
        userId: who.userId,
        action: 'audit.restores',
        fileId: null,
        details: {},
      });
      return listRestores(deps);
    },

    async acceptRestore(who, restore) {
      assertMayAdminister(who, 'accept_restore');
      return acceptRestore(deps, who.userId, restore);
    },
  };
}

function parsePlace(text: string): EntryPlace {
  const [, atUs, id] = /^(\d{1,16})-(\d{1,15})$/.exec(text) ?? [];
  if (atUs === undefined || id === undefined)
    throw new StorageError('INVALID_REQUEST', 'The page marker is not one that we gave.');
  return { atUs: Number(atUs), id: Number(id) };
}
