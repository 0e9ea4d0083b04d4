import { sql } from 'kysely';
import { type Fingerprint, hashBits, storedTokens } from '../domain/fingerprint.ts';
import type { Db } from './schema.ts';

/**
 * Keeps the fingerprint of a photo; one that it has already stays. Returns its id: whoever looks for photos with smaller ids
 * after the commit sees them all, since ids are given and committed one transaction after another.
 */
export async function insertFingerprint(db: Db, fileId: string, print: Fingerprint): Promise<number> {
  await sql`select pg_advisory_xact_lock(hashtextextended('fingerprints', 0))`.execute(db);
  const row = await db
    .insertInto('fingerprints')
    .values({ ...columnsOf(print), file_id: fileId })
    // The row is locked and given back; nothing in it changes.
    .onConflict((conflict) => conflict.column('file_id').doUpdateSet({ file_id: fileId }))
    .returning('id')
    .executeTakeFirstOrThrow();
  return row.id;
}

function columnsOf(print: Fingerprint) {
  return {
    hash: hashBits(print.hash),
    tokens: storedTokens(print),
    look: Buffer.from(print.look, 'base64'),
  };
}

export async function hasFingerprint(db: Db, fileId: string): Promise<boolean> {
  const row = await db
    .selectFrom('fingerprints')
    .select('id')
    .where('file_id', '=', fileId)
    .executeTakeFirst();
  return row !== undefined;
}
