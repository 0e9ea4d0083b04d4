import { lastAnchoredSeq } from '../../db/audit/anchors.ts';
import { type ChainLink, type EntryPlace, lastSealBelow, listLinks } from '../../db/audit/chain.ts';
import { type ChainPlace, chainHead } from '../../db/audit/sealing.ts';
import { chainHash } from '../../domain/audit-chain.ts';
import { isStorageError, StorageError } from '../../domain/errors.ts';
import type { StorageService } from '../storage.service.ts';
import { type Anchor, type AuditDeps, type ChainBase, hex, readAnchors, readBase } from './anchors.ts';
import { checkAnchorsKept, checkRestoresKept } from './kept.ts';
import { checkOutside, outsideFrom } from './outside.ts';
import { PAGE } from './page.ts';
import { readRestores } from './restores.ts';
import type { AuditProblem, AuditVerdict } from './verdict.ts';

/** How far a verification is; where it goes on when its process died. */
export interface VerifyState {
  /** Where it began, in the chain. */
  readonly start: ChainPlace;
  /** The last row that was found good. */
  readonly place: ChainPlace;
  /** How far rows were looked through that have no seal; null while the chain is walked. */
  readonly outside: EntryPlace | null;
}

export interface VerifyOptions {
  /** From the beginning, or from the last anchor: quick, and trusts that what lies before it was verified. */
  readonly from: 'start' | 'last_anchor';
  readonly resume?: VerifyState;
  /** Called after each thousand rows; what it throws ends the verification. */
  readonly onPage?: (state: VerifyState) => Promise<void>;
  /** Up to this place only; rows without a seal are not looked for then. */
  readonly upTo?: number;
  /** Keys of anchors that the chain is not compared with: what would be left if they were accepted. */
  readonly leaveOut?: ReadonlySet<string>;
}

/**
 * Recomputes the chain of the audit ledger from its rows, compares it with the anchors in the object store, and looks for
 * rows outside the chain. Names the first bad row. Trusts nothing in the database: neither its functions nor its times.
 * Holds a thousand rows in memory, and the anchors (300 bytes each). Errors: STORAGE_UNAVAILABLE while anchors cannot be
 * read, which says nothing about the ledger.
 */
export async function verifyLedger(deps: VerifyDeps, options: VerifyOptions): Promise<AuditVerdict> {
  try {
    const base = await readBase(deps);
    const verdict = await verifyFrom(deps, base, options);
    if (verdict.ok) return verdict;
    // A month that was dropped meanwhile looks like damage.
    const now = await readBase(deps);
    return now.key === base.key ? verdict : await verifyFrom(deps, now, options);
  } catch (error) {
    if (!isStorageError(error, 'STORAGE_UNAVAILABLE')) throw error;
    throw new StorageError('STORAGE_UNAVAILABLE', UNREAD, { cause: error });
  }
}

const UNREAD =
  'The anchors of the audit ledger could not be read, since the object store does not answer. Nothing was found out about the ledger.';

export type VerifyDeps = AuditDeps & { readonly storage: Pick<StorageService, 'primaryInfo'> };

async function verifyFrom(deps: VerifyDeps, base: ChainBase, options: VerifyOptions): Promise<AuditVerdict> {
  const { upTo = Number.MAX_SAFE_INTEGER, onPage } = options;
  const restores = await readRestores(deps, base);
  const leftOut = new Set([...restores.accepted, ...(options.leaveOut ?? [])]);
  const start = options.resume?.start ?? (await placeToBegin(deps, base, options.from, leftOut));
  const anchors = await readAnchors(deps, start.seq, leftOut);
  const byPlace = Map.groupBy(anchors, ({ seq }) => seq);
  let place = later(options.resume?.place ?? start, base);
  const verdict = (problem: AuditProblem | null): AuditVerdict => ({
    ok: problem === null,
    problem,
    checked: place.seq - start.seq,
    from: { seq: start.seq, hash: hex(start.hash) },
    to: { seq: place.seq, hash: hex(place.hash) },
    anchors: anchors.length,
    accepted: restores.points,
  });

  const gone = start.seq > base.seq ? await checkStart(deps, start) : null;
  if (gone !== null) return verdict(gone);
  for (;;) {
    const links = await listLinks(deps.db, place.seq, Math.min(PAGE, upTo - place.seq));
    for (const link of links) {
      const problem = checkLink(place, link, base, byPlace);
      if (problem !== null) return verdict(problem);
      place = { seq: link.seq, hash: link.hash };
    }
    if (place.seq >= upTo) return verdict(null);
    if (links.length < PAGE) break;
    await onPage?.({ start, place, outside: null });
  }
  const problem =
    checkEnd(place, anchors.at(-1)) ??
    checkEnd(await chainHead(deps.db), base) ??
    checkRestoresKept(restores) ??
    (await checkAnchorsKept(deps, start.seq, anchors)) ??
    (await checkOutside(
      deps.db,
      options.resume?.outside ?? (await outsideFrom(deps.db, start)),
      async (outside) => onPage?.({ start, place, outside }),
    ));
  return verdict(problem);
}

/** A month may have been dropped since the place was kept. */
function later(place: ChainPlace, base: ChainBase): ChainPlace {
  return place.seq < base.seq ? base : place;
}

async function placeToBegin(
  deps: AuditDeps,
  base: ChainBase,
  from: VerifyOptions['from'],
  leftOut: ReadonlySet<string>,
): Promise<ChainPlace> {
  if (from === 'start') return base;
  const noted = Math.max(base.seq, await lastAnchoredSeq(deps.db));
  const last = (await readAnchors(deps, noted, leftOut)).at(-1);
  return last === undefined ? base : { seq: last.seq, hash: Buffer.from(last.hash, 'hex') };
}

/** Beginning at an anchor, the chain is trusted up to there: it must still reach it, and pass through it. */
async function checkStart({ db }: VerifyDeps, start: ChainPlace): Promise<AuditProblem | null> {
  const [link] = await listLinks(db, start.seq - 1, 1);
  if (link?.seq !== start.seq) return checkEnd({ seq: await lastSealBelow(db, start.seq) }, start);
  if (hex(link.hash) === hex(start.hash)) return null;
  const message = `The chain was written anew: row ${start.seq} does not fit its anchor.`;
  return { damage: 'rewritten', seq: start.seq, entryId: link.entryId, message };
}

type AnchorsByPlace = ReadonlyMap<number, readonly Anchor[]>;

function checkLink(
  before: ChainPlace,
  link: ChainLink,
  base: ChainBase,
  anchors: AnchorsByPlace,
): AuditProblem | null {
  const seq = before.seq + 1;
  if (link.seq !== seq)
    return { damage: 'removed', seq, entryId: null, message: `The seal of row ${seq} is gone.` };
  const dropped = base.beyond.get(seq);
  if (link.entry === null && dropped === undefined)
    return {
      damage: 'removed',
      seq,
      entryId: link.entryId,
      message: `Row ${seq} (entry ${link.entryId}) is gone, or its time was changed.`,
    };
  const expected = link.entry === null ? dropped : hex(chainHash(before.hash, link.entry));
  if (expected !== hex(link.hash))
    return {
      damage: 'changed',
      seq,
      entryId: link.entryId,
      message: `Row ${seq} (entry ${link.entryId}) is not the row that was sealed.`,
    };
  if (anchors.get(seq)?.some(({ hash }) => hash !== expected))
    return {
      damage: 'rewritten',
      seq: lastBelow(anchors, seq) + 1,
      entryId: null,
      message: `The chain was written anew: rows ${lastBelow(anchors, seq) + 1} to ${seq} do not fit the anchor of row ${seq}.`,
    };
  return null;
}

/** The anchor before that place: up to there the chain is as it was. */
function lastBelow(anchors: AnchorsByPlace, seq: number): number {
  let below = 0;
  for (const place of anchors.keys()) if (place < seq && place > below) below = place;
  return below;
}

function checkEnd(
  place: Pick<ChainPlace, 'seq'>,
  last: Pick<ChainPlace, 'seq'> | undefined,
): AuditProblem | null {
  if (last === undefined || last.seq <= place.seq) return null;
  return {
    damage: 'truncated',
    seq: place.seq + 1,
    entryId: null,
    message: `The chain ends at row ${place.seq}, and row ${last.seq} was anchored: rows from ${place.seq + 1} on are gone.`,
  };
}
