import { type Selectable, sql } from 'kysely';
import type { EvidenceMoveState } from '../domain/evidence.ts';
import type { EvidenceMovesTable } from './lifecycle-tables.ts';
import type { Db } from './schema.ts';

export type EvidenceMove = Selectable<EvidenceMovesTable>;

/** States in which something is still to be done. */
const OPEN = ['waiting', 'restoring'] as const;

/** These originals of a held file are to leave their public keys. One that is on its way already stays as it is. */
export async function addEvidenceMoves(
  db: Db,
  fileId: string,
  originals: readonly { readonly key: string; readonly sha256: string | null }[],
): Promise<void> {
  if (originals.length === 0) return;
  await db
    .insertInto('evidence_moves')
    .values(originals.map(({ key, sha256 }) => ({ key, file_id: fileId, sha256 })))
    .onConflict((conflict) =>
      conflict
        .column('key')
        .doUpdateSet({ state: 'waiting', attempts: 0, error: null, due_at: sql<Date>`now()`, moved_at: null })
        // It was public once more in between.
        .where('evidence_moves.state', 'not in', [...OPEN]),
    )
    .execute();
}

/**
 * Takes moves that are due, of one file or of all; those that are not settled within `leaseSeconds` (the process died)
 * come again. Oldest first.
 */
export async function claimEvidenceMoves(
  db: Db,
  { fileId, limit, leaseSeconds }: { fileId: string | null; limit: number; leaseSeconds: number },
): Promise<EvidenceMove[]> {
  const ofFile = fileId === null ? sql`` : sql`and file_id = ${fileId}`;
  const { rows } = await sql<EvidenceMove>`
    update evidence_moves set due_at = now() + make_interval(secs => ${leaseSeconds})
    where key in (
      select key from evidence_moves where state in ('waiting', 'restoring') and due_at <= now() ${ofFile}
      order by due_at, key limit ${limit} for update skip locked
    )
    returning *
  `.execute(db);
  return rows;
}

/** Whoever took the move is still at it: it is due again when he has not said so for `leaseSeconds`. */
export async function extendEvidenceMove(db: Db, key: string, leaseSeconds: number): Promise<void> {
  await db
    .updateTable('evidence_moves')
    .set({ due_at: sql<Date>`now() + make_interval(secs => ${leaseSeconds})` })
    .where('key', '=', key)
    .where('state', 'in', [...OPEN])
    .execute();
}

/** A move that is still to be done; null when it is done, or no longer wanted. */
export async function findOpenMove(db: Db, key: string): Promise<EvidenceMove | null> {
  const row = await db
    .selectFrom('evidence_moves')
    .selectAll()
    .where('key', '=', key)
    .where('state', 'in', [...OPEN])
    .executeTakeFirst();
  return row ?? null;
}

/** How far a move is. `error`: the code of what was in the way, which counts as an attempt. Asked again after `delaySeconds`. */
export async function keepEvidenceMove(
  db: Db,
  key: string,
  found: { readonly state?: EvidenceMoveState; readonly error: string | null },
  delaySeconds: number,
): Promise<void> {
  const { state, error } = found;
  await db
    .updateTable('evidence_moves')
    .set({
      ...(state !== undefined && { state }),
      error,
      attempts: error === null ? 0 : sql<number>`attempts + 1`,
      due_at: sql<Date>`now() + make_interval(secs => ${delaySeconds})`,
      moved_at: state === 'moved' ? sql<Date>`date_trunc('milliseconds', clock_timestamp())` : null,
    })
    .where('key', '=', key)
    .where('state', 'in', [...OPEN])
    .execute();
}

/** All moves of a file, done or not, in the order in which they were asked for. */
export async function listEvidenceMoves(db: Db, fileId: string): Promise<EvidenceMove[]> {
  return db
    .selectFrom('evidence_moves')
    .selectAll()
    .where('file_id', '=', fileId)
    .orderBy('created_at')
    .orderBy('key')
    .execute();
}

/** Nothing of the file is evidence any more. Resolves to the public keys that its evidence had. */
export async function dropEvidenceMoves(db: Db, fileId: string): Promise<string[]> {
  const rows = await db.deleteFrom('evidence_moves').where('file_id', '=', fileId).returning('key').execute();
  return rows.map((row) => row.key);
}
