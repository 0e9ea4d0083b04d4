import {
  type BannedLookalike,
  findLookalikes,
  type Lookalike,
  type PhotoLookalike,
} from '../../db/lookalikes.ts';
import { lockFile } from '../../db/files.ts';
import { noteMatch } from '../../db/photo-matches.ts';
import { addFindings, openCase } from '../../db/review-cases.ts';
import type { Db, FileRow } from '../../db/schema.ts';
import type { Fingerprint } from '../../domain/fingerprint.ts';
import { isPublic } from '../../domain/file-state.ts';
import type { Finding } from '../../domain/finding.ts';
import { likenessOf } from '../../domain/likeness.ts';
import { CERTAINLY_SAME, NEARLY_SAME, SAME_PICTURE } from '../../domain/photo-match.ts';
import { inverseOf, turnedLook, type TurnWords, wordsOf } from '../../domain/turns.ts';

/** What a photo shows that was there before. */
export interface Recognition {
  /** It is a banned picture, for certain. */
  readonly isBanned: boolean;
  /** Its listing has a photo of the same. */
  readonly isInListing: boolean;
  /** For a moderator: photos of other owners that show the same, banned pictures that it may be. */
  readonly findings: readonly Finding[];
}

interface Seen<Kind extends Lookalike> extends TurnWords {
  readonly lookalike: Kind;
  /** 0–1 */
  readonly similarity: number;
}

/** Names the way of comparing in findings, so that they can be told apart from those of a later one. */
const MODEL = { model: 'pdq-landmarks', version: '2' } as const;

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
  const found = await findLookalikes(db, print, copies ? { file, which: { before: own } } : null);
  const banned = seenIn(print, found.banned, NEARLY_SAME);
  const findings: Finding[] = banned.map(bannedFinding);
  for (const match of seenIn(print, found.elsewhere, SAME_PICTURE)) {
    const { fileId: olderId } = match.lookalike;
    const id = await noteMatch(db, { newerId: file.id, olderId, similarity: match.similarity });
    if (id !== null) findings.push(elsewhereFinding(match, id));
  }
  return {
    isBanned: banned.some(({ similarity }) => similarity >= CERTAINLY_SAME),
    isInListing: seenIn(print, found.listed, SAME_PICTURE).length > 0,
    findings,
  };
}

/**
 * The other way round, for a photo that gets its fingerprint late, or is public again: those that were uploaded meanwhile and show
 * the same could not find it. Each of them gets the finding, and where it is public a case: it stays public until
 * somebody decides, unless the policy hides it. Returns those that are public. In a transaction that has the photo's lock.
 */
export async function recogniseLater(
  db: Db,
  file: Pick<FileRow, 'id' | 'owner_id' | 'item_id'>,
  print: Fingerprint,
): Promise<FileRow[]> {
  const found: FileRow[] = [];
  const { elsewhere } = await findLookalikes(db, print, { file, which: 'later' });
  for (const seen of seenIn(print, elsewhere, SAME_PICTURE)) {
    const { fileId: newerId } = seen.lookalike;
    const newer = await lockFile(db, newerId);
    const id = await noteMatch(db, { newerId, olderId: file.id, similarity: seen.similarity });
    if (newer === null || id === null) continue;
    const turn = inverseOf(seen.lookalike.turn);
    const lookalike = { ...seen.lookalike, fileId: file.id, turn };
    await addFindings(db, newerId, [elsewhereFinding({ ...seen, ...wordsOf(turn), lookalike }, id)]);
    if (!isPublic(newer.state)) continue;
    await openCase(db, newerId, { source: 'fingerprint' });
    found.push(newer);
  }
  return found;
}

/** Those that are at least so alike, once they are laid over the picture. */
function seenIn<Kind extends Lookalike>(
  print: Fingerprint,
  lookalikes: readonly Kind[],
  least: number,
): Seen<Kind>[] {
  const look = Buffer.from(print.look, 'base64');
  return lookalikes
    .map((lookalike) => ({
      lookalike,
      ...wordsOf(lookalike.turn),
      similarity: likenessOf(lookalike.look, turnedLook(look, lookalike.turn)),
    }))
    .filter(({ similarity }) => similarity >= least)
    .map((seen) => ({ ...seen, similarity: Math.min(1, Math.round(seen.similarity * 1000) / 1000) }));
}

function bannedFinding({ lookalike, similarity, isMirrored, rotatedBy }: Seen<BannedLookalike>): Finding {
  return {
    source: 'fingerprint',
    label: 'banned_picture',
    confidence: similarity,
    region: null,
    ...MODEL,
    details: { bannedId: lookalike.bannedId, similarity, isMirrored, rotatedBy },
  };
}

function elsewhereFinding(
  { lookalike, similarity, isMirrored, rotatedBy }: Seen<PhotoLookalike>,
  matchId: number,
): Finding {
  const { fileId, landmarks, distance } = lookalike;
  return {
    source: 'fingerprint',
    label: 'same_photo_elsewhere',
    confidence: similarity,
    region: null,
    ...MODEL,
    details: { matchId, fileId, similarity, isMirrored, rotatedBy, landmarks, distance },
  };
}
