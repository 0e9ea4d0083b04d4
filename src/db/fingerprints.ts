import { sql } from 'kysely';
import { askedTokens, type Fingerprint, mirroredHash, storedTokens } from '../domain/fingerprint.ts';
import type { FileState } from '../domain/file-state.ts';
import type { Db } from './schema.ts';

/** A fingerprint in the index that has much in common with one that was asked for. */
export interface Lookalike {
  readonly id: number;
  readonly fileId: string | null;
  readonly bannedId: number | null;
  /** Landmarks that both have, as they are or mirrored. */
  readonly landmarks: number;
  /** Bits (0–256) in which the hashes differ, as they are or mirrored, whichever is less. */
  readonly distance: number;
  readonly look: Buffer;
}

/** Landmarks that two pictures share at least, or else bits in which their hashes differ at most. */
const LEAST_LANDMARKS = 2;
const MOST_DISTANCE = 40;
/** The slow comparison takes milliseconds each. */
const MOST_LOOKALIKES = 20;

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
    hash: bitsOf(print.hash),
    tokens: storedTokens(print),
    look: Buffer.from(print.look, 'base64'),
  };
}

/**
 * Pictures that may be the same as this one, those with most in common first, at most 20: to be confirmed by `likenessOf`.
 * Of photos only those whose fingerprint is older than `before`.
 */
export async function findLookalikes(db: Db, print: Fingerprint, before: number): Promise<Lookalike[]> {
  const { landmarks, bands } = askedTokens(print);
  if (landmarks.length + bands.length === 0) return [];
  const { rows } = await sql<Lookalike>`
    select f.id, f.file_id as "fileId", f.banned_id as "bannedId", f.landmarks, f.distance, f.look
    from (
      select *,
        (select count(*) from unnest(tokens) as t (token) where t.token = any (${landmarks}::integer[])) as landmarks,
        least(bit_count(hash # ${bitsOf(print.hash)}::bit(256)),
              bit_count(hash # ${bitsOf(mirroredHash(print.hash))}::bit(256))) as distance
      from fingerprints_sharing(${[...landmarks, ...bands]}::integer[])
      where file_id is null or id < ${before}
    ) as f
    where f.landmarks >= ${LEAST_LANDMARKS} or f.distance <= ${MOST_DISTANCE}
    order by f.landmarks desc, f.distance
    limit ${MOST_LOOKALIKES}`.execute(db);
  return rows;
}

/** The text of a bit string. */
function bitsOf(hash: string): string {
  return Array.from(hash, (digit) => Number.parseInt(digit, 16).toString(2).padStart(4, '0')).join('');
}

export async function hasFingerprint(db: Db, fileId: string): Promise<boolean> {
  const row = await db
    .selectFrom('fingerprints')
    .select('id')
    .where('file_id', '=', fileId)
    .executeTakeFirst();
  return row !== undefined;
}

/** Of these files the ones whose fingerprint stands for a photo that somebody may see, now or soon. */
export async function listMatchable(
  db: Db,
  fileIds: readonly string[],
): Promise<{ id: string; owner_id: string; item_id: string | null; state: FileState }[]> {
  if (fileIds.length === 0) return [];
  return db
    .selectFrom('files')
    .select(['id', 'owner_id', 'item_id', 'state'])
    .where('id', 'in', [...fileIds])
    .where('state', 'in', [...MATCHABLE])
    .execute();
}

const MATCHABLE: readonly FileState[] = ['checking', 'in_review', 'published', 'ready'];
