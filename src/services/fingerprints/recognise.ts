import { findLookalikes, listMatchable, type Lookalike } from '../../db/fingerprints.ts';
import { noteMatch } from '../../db/photo-matches.ts';
import type { Db, FileRow } from '../../db/schema.ts';
import type { Fingerprint } from '../../domain/fingerprint.ts';
import type { Finding } from '../../domain/finding.ts';
import { likenessOf } from '../../domain/likeness.ts';
import { CERTAINLY_SAME, NEARLY_SAME, SAME_PICTURE } from '../../domain/photo-match.ts';

/** What a photo shows that was there before. */
export interface Recognition {
  /** It is a banned picture, for certain. */
  readonly isBanned: boolean;
  /** Its listing has a photo of the same. */
  readonly isInListing: boolean;
  /** For a moderator: photos of other owners that show the same, banned pictures that it may be. */
  readonly findings: readonly Finding[];
}

interface Seen {
  readonly lookalike: Lookalike;
  /** 0–1 */
  readonly similarity: number;
  readonly isMirrored: boolean;
}

/** Names the way of comparing in findings, so that they can be told apart from those of a later one. */
const MODEL = { model: 'pdq-landmarks', version: '1' } as const;

/**
 * Looks for pictures that were there before this one: by the index, then each that it names by laying them over each other.
 * `own` is the id of this photo's fingerprint. Pairs with photos of others are noted, unless a moderator has dismissed them.
 * In a transaction.
 */
export async function recognise(
  db: Db,
  file: Pick<FileRow, 'id' | 'owner_id' | 'item_id'>,
  print: Fingerprint,
  { own, copies }: { own: number; copies: boolean },
): Promise<Recognition> {
  const seen = await seenBefore(db, print, own);
  const banned = seen.filter(({ lookalike }) => lookalike.bannedId !== null);
  const same = seen.filter(
    ({ lookalike, similarity }) => lookalike.fileId !== null && similarity >= SAME_PICTURE,
  );
  const photos = copies
    ? await listMatchable(
        db,
        same.flatMap(({ lookalike }) => lookalike.fileId ?? []),
      )
    : [];
  const findings: Finding[] = banned.map(bannedFinding);
  for (const photo of photos.filter(({ owner_id }) => owner_id !== file.owner_id)) {
    const match = same.find(({ lookalike }) => lookalike.fileId === photo.id);
    if (match === undefined) continue;
    const pair = { newerId: file.id, olderId: photo.id, similarity: match.similarity };
    const id = await noteMatch(db, pair);
    if (id !== null) findings.push(elsewhereFinding(match, id));
  }
  return {
    isBanned: banned.some(({ similarity }) => similarity >= CERTAINLY_SAME),
    isInListing: file.item_id !== null && photos.some(({ item_id }) => item_id === file.item_id),
    findings,
  };
}

async function seenBefore(db: Db, print: Fingerprint, own: number): Promise<Seen[]> {
  const look = Buffer.from(print.look, 'base64');
  return (await findLookalikes(db, print, own))
    .map((lookalike) => ({ lookalike, ...likenessOf(lookalike.look, look) }))
    .filter(({ similarity }) => similarity >= NEARLY_SAME)
    .map((seen) => ({ ...seen, similarity: Math.min(1, Math.round(seen.similarity * 1000) / 1000) }));
}

function bannedFinding({ lookalike, similarity, isMirrored }: Seen): Finding {
  return {
    source: 'fingerprint',
    label: 'banned_picture',
    confidence: similarity,
    region: null,
    ...MODEL,
    details: { bannedId: lookalike.bannedId, similarity, isMirrored },
  };
}

function elsewhereFinding({ lookalike, similarity, isMirrored }: Seen, matchId: number): Finding {
  const { fileId, landmarks, distance } = lookalike;
  return {
    source: 'fingerprint',
    label: 'same_photo_elsewhere',
    confidence: similarity,
    region: null,
    ...MODEL,
    details: { matchId, fileId, similarity, isMirrored, landmarks, distance },
  };
}
