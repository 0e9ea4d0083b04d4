import { recordAccess } from '../db/access-log.ts';
import type { EntryPlace } from '../db/audit/chain.ts';
import { type EntryFilter, listEntries } from '../db/audit/entries.ts';
import { assertMayAdminister, type Principal } from '../domain/access.ts';
import { StorageError } from '../domain/errors.ts';
import type { Database } from '../db/schema.ts';
import { type AuditVerdict, type VerifyDeps, verifyLedger } from './audit/verify.ts';

export type { AuditVerdict } from './audit/verify.ts';

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
      const { ok, problem, checked } = verdict;
      await recordAccess(deps.db, {
        userId: who.userId,
        action: 'audit.verify',
        fileId: null,
        details: { ok, checked, problem },
      });
      return verdict;
    },
  };
}

function parsePlace(text: string): EntryPlace {
  const [, atUs, id] = /^(\d{1,16})-(\d{1,15})$/.exec(text) ?? [];
  if (atUs === undefined || id === undefined)
    throw new StorageError('INVALID_REQUEST', 'The page marker is not one that we gave.');
  return { atUs: Number(atUs), id: Number(id) };
}
