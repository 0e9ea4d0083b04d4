import type { Generated, GeneratedAlways } from 'kysely';
import type { MatchOutcome } from '../domain/review-case.ts';
import type { BigInt8, CreatedAt, Timestamp } from './column-types.ts';

/** What a picture is recognised by: of a photo, or of a banned picture. */
interface FingerprintsTable {
  /** Rises in the order in which fingerprints are committed. */
  id: GeneratedAlways<BigInt8>;
  file_id: string | null;
  banned_id: BigInt8 | null;
  /** PDQ, as 256 digits 0 or 1. */
  hash: string;
  /** `storedTokens` */
  tokens: number[];
  look: Buffer;
}

/** A picture that may not come back: from when its fingerprint is there. */
export interface BannedPicturesTable {
  id: GeneratedAlways<BigInt8>;
  /** The photo that was taken down; null once it is deleted. */
  file_id: string | null;
  reason_code: string;
  banned_by: string;
  banned_at: CreatedAt;
  /** Who looked at the photo again and left it down; null until then. */
  confirmed_by: string | null;
  /** The photo has no fingerprint yet: nothing is recognised. */
  is_waiting: Generated<boolean>;
}

/** Photos of different owners that show the same picture. Once one of them is deleted it has no hashes, and no owners either. */
interface PhotoMatchesTable {
  id: GeneratedAlways<BigInt8>;
  newer_id: string;
  older_id: string;
  newer_owner: string | null;
  older_owner: string | null;
  newer_hash: string | null;
  older_hash: string | null;
  similarity: number;
  found_at: CreatedAt;
  outcome: MatchOutcome | null;
  decided_by: string | null;
  decided_at: Timestamp | null;
}

export interface FingerprintTables {
  fingerprints: FingerprintsTable;
  banned_pictures: BannedPicturesTable;
  photo_matches: PhotoMatchesTable;
  /** One row while photos from before have no fingerprints yet. */
  fingerprint_backfill: { after_id: string };
  /** Photos for which a fingerprint is being made late, or could not be made. */
  fingerprint_attempts: { file_id: string; attempts: number };
}
