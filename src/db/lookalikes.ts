import { type RawBuilder, sql } from 'kysely';
import { askedTokens, type Fingerprint, mirroredHash } from '../domain/fingerprint.ts';
import type { FileState } from '../domain/file-state.ts';
import { bitsOf } from './fingerprints.ts';
import type { Db, FileRow } from './schema.ts';

/** A fingerprint in the index that has much in common with one that was asked for. */
export interface Lookalike {
  readonly id: number;
  /** Landmarks that both have, as they are or mirrored. */
  readonly landmarks: number;
  /** Bits (0–256) in which the hashes differ, as they are or mirrored, whichever is less. */
  readonly distance: number;
  readonly look: Buffer;
}

export interface BannedLookalike extends Lookalike {
  readonly bannedId: number;
}

export interface PhotoLookalike extends Lookalike {
  readonly fileId: string;
}

/** Landmarks that two pictures share at least, or else bits in which their hashes differ at most. */
const LEAST_LANDMARKS = 2;
const MOST_DISTANCE = 40;
/** The slow comparison takes milliseconds each. */
const MOST_LOOKALIKES = 20;
/** A photo that somebody may see, now or soon. */
const MATCHABLE: readonly FileState[] = ['checking', 'in_review', 'published', 'ready'];

/**
 * Banned pictures that may be the same as this one, those with most in common first, at most 20, however many photos show
 * it: to be confirmed by `likenessOf`.
 */
export async function findBannedLookalikes(db: Db, print: Fingerprint): Promise<BannedLookalike[]> {
  const { rows } = await sql<BannedLookalike>`
    select f.id, f.banned_id as "bannedId", f.landmarks, f.distance, f.look
    from (${alike(print, sql`banned_sharing(${tokensOf(print)}::integer[])`)}) as f
    order by f.landmarks desc, f.distance, f.id
    limit ${MOST_LOOKALIKES}`.execute(db);
  return rows;
}

/**
 * Photos of other owners that may be the same as this one, as `findBannedLookalikes`: only those that somebody may see, now
 * or soon, and whose fingerprint is older than `before`. Those of the same owner take nobody's place.
 */
export async function findCopyLookalikes(
  db: Db,
  print: Fingerprint,
  { ownerId, before }: { readonly ownerId: string; readonly before: number },
): Promise<PhotoLookalike[]> {
  const { rows } = await sql<PhotoLookalike>`
    select f.id, f.file_id as "fileId", f.landmarks, f.distance, f.look
    from (${alike(print, sql`fingerprints_sharing(${tokensOf(print)}::integer[])`)}) as f
      join files on files.id = f.file_id
    where f.id < ${before} and files.state in (${sql.join(MATCHABLE)}) and files.owner_id <> ${ownerId}
    order by f.landmarks desc, f.distance, f.id
    limit ${MOST_LOOKALIKES}`.execute(db);
  return rows;
}

/** Photos of the same listing and owner that may be the same as this one, as `findCopyLookalikes`. */
export async function findListingLookalikes(
  db: Db,
  print: Fingerprint,
  { file, before }: { readonly file: Pick<FileRow, 'owner_id' | 'item_id'>; readonly before: number },
): Promise<PhotoLookalike[]> {
  const inListing = sql`(
    select p.* from files join fingerprints p on p.file_id = files.id
    where files.item_id = ${file.item_id} and files.position is not null and files.owner_id = ${file.owner_id}
      and files.state in (${sql.join(MATCHABLE)}) and p.id < ${before}
      and p.tokens && ${tokensOf(print)}::integer[]) as listed`;
  const { rows } = await sql<PhotoLookalike>`
    select f.id, f.file_id as "fileId", f.landmarks, f.distance, f.look
    from (${alike(print, inListing)}) as f
    order by f.landmarks desc, f.distance, f.id
    limit ${MOST_LOOKALIKES}`.execute(db);
  return rows;
}

/** Of these fingerprints the ones that have enough in common with this one, with how much that is. */
function alike(print: Fingerprint, fingerprints: RawBuilder<unknown>): RawBuilder<unknown> {
  return sql`
    select * from (
      select *,
        (select count(*) from unnest(tokens) as t (token)
          where t.token = any (${askedTokens(print).landmarks}::integer[])) as landmarks,
        least(bit_count(hash # ${bitsOf(print.hash)}::bit(256)),
              bit_count(hash # ${bitsOf(mirroredHash(print.hash))}::bit(256))) as distance
      from ${fingerprints}) as measured
    where landmarks >= ${LEAST_LANDMARKS} or distance <= ${MOST_DISTANCE}`;
}

/** Nothing shares a token with a picture that has none. */
function tokensOf(print: Fingerprint): number[] {
  const { landmarks, bands } = askedTokens(print);
  return [...landmarks, ...bands];
}
