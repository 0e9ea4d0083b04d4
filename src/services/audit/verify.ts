import { lastAnchoredSeq, listAnchorKeys } from '../../db/audit/anchors.ts';
import {
  entryPlaceOf,
  type EntryPlace,
  findLost,
  lastSealBelow,
  listLinks,
  listWithoutSeal,
} from '../../db/audit/chain.ts';
import type { ChainPlace } from '../../db/audit/sealing.ts';
import { chainHash } from '../../domain/audit-chain.ts';
import { isStorageError, StorageError } from '../../domain/errors.ts';
import type { StorageService } from '../storage.service.ts';
import { type AuditDeps, type ChainBase, hex, readAnchors, readBase } from './anchors.ts';

/** What is wrong with the first bad row. */
export type AuditDamage =
  /** The row is not the one that was sealed: edited, or two were swapped. */
  | 'changed'
  /** The row is gone. */
  | 'removed'
  /** Rows and seals were written anew, so that they fit each other but not the anchor. */
  | 'rewritten'
  /** The chain ends before the last anchor. */
  | 'truncated'
  /** A row stands in the ledger that did not come there as rows do. */
  | 'added'
  /** A row waits for its seal for more than a minute: no sealer runs, or it cannot. */
  | 'unsealed'
  /** An anchor that was written is not in the object store any more. */
  | 'anchor_missing';

export interface AuditProblem {
  readonly damage: AuditDamage;
  /** Of the first bad row in the chain; null for one that is not in it. */
  readonly seq: number | null;
  readonly entryId: number | null;
  readonly message: string;
}

export interface AuditVerdict {
  /** False: `problem` names the first bad row. */
  readonly ok: boolean;
  readonly problem: AuditProblem | null;
  /** Rows whose hashes were computed again. */
  readonly checked: number;
  /** Where it began, and how far the chain is as it was sealed. */
  readonly from: { readonly seq: number; readonly hash: string };
  readonly to: { readonly seq: number; readonly hash: string };
  /** Anchors of the object store that the chain was compared with. */
  readonly anchors: number;
}

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
}

/** Rows in memory at one time. */
const PAGE = 1000;
/** An entry that is not sealed by then is reported. */
const UNSEALED_SECONDS = 60;
/** How far back from the last anchor rows without a seal are looked for: transactions do not last that long. */
const LATE_US = 3_600_000_000;

/**
 * Recomputes the chain of the audit ledger from its rows, compares it with the anchors in the object store, and looks for
 * rows outside the chain. Names the first bad row. Trusts nothing in the database: neither its functions nor its times.
 * Holds a thousand rows in memory, and the anchors (100 bytes each). Errors: STORAGE_UNAVAILABLE while anchors cannot be read,
 * which says nothing about the ledger.
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

export type VerifyDeps = AuditDeps & { readonly storage: Pick<StorageService, 'fileInfo'> };

async function verifyFrom(deps: VerifyDeps, base: ChainBase, options: VerifyOptions): Promise<AuditVerdict> {
  const { upTo = Number.MAX_SAFE_INTEGER, onPage } = options;
  const start = options.resume?.start ?? (await placeToBegin(deps, base, options.from));
  const anchors = await readAnchors(deps, start.seq);
  let place = later(options.resume?.place ?? start, base);
  const verdict = (problem: AuditProblem | null): AuditVerdict => ({
    ok: problem === null,
    problem,
    checked: place.seq - start.seq,
    from: { seq: start.seq, hash: hex(start.hash) },
    to: { seq: place.seq, hash: hex(place.hash) },
    anchors: anchors.hashes.size,
  });

  const gone = start.seq > base.seq ? await checkStart(deps, start) : null;
  if (gone !== null) return verdict(gone);
  for (;;) {
    const links = await listLinks(deps.db, place.seq, Math.min(PAGE, upTo - place.seq));
    for (const link of links) {
      const problem = checkLink(place, link, base, anchors.hashes);
      if (problem !== null) return verdict(problem);
      place = { seq: link.seq, hash: link.hash };
    }
    if (place.seq >= upTo) return verdict(null);
    if (links.length < PAGE) break;
    await onPage?.({ start, place, outside: null });
  }
  const problem =
    checkEnd(place, anchors.last) ??
    (await checkAnchorsKept(deps, start.seq, anchors.hashes)) ??
    (await checkOutside(deps, options.resume?.outside ?? (await outsideFrom(deps, start)), async (outside) =>
      onPage?.({ start, place, outside }),
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
): Promise<ChainPlace> {
  if (from === 'start') return base;
  const { last } = await readAnchors(deps, Math.max(base.seq, await lastAnchoredSeq(deps.db)));
  return last === null ? base : { seq: last.seq, hash: Buffer.from(last.hash, 'hex') };
}

/** Beginning at an anchor, the chain is trusted up to there: it must still reach it, and pass through it. */
async function checkStart({ db }: VerifyDeps, start: ChainPlace): Promise<AuditProblem | null> {
  const [link] = await listLinks(db, start.seq - 1, 1);
  if (link?.seq !== start.seq) return checkEnd({ seq: await lastSealBelow(db, start.seq) }, start);
  if (hex(link.hash) === hex(start.hash)) return null;
  const message = `The chain was written anew: row ${start.seq} does not fit its anchor.`;
  return { damage: 'rewritten', seq: start.seq, entryId: link.entryId, message };
}

function checkLink(
  before: ChainPlace,
  link: Awaited<ReturnType<typeof listLinks>>[number],
  base: ChainBase,
  anchors: ReadonlyMap<number, string>,
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
  const anchored = anchors.get(seq);
  if (anchored !== undefined && anchored !== expected)
    return {
      damage: 'rewritten',
      seq: lastBelow(anchors, seq) + 1,
      entryId: null,
      message: `The chain was written anew: rows ${lastBelow(anchors, seq) + 1} to ${seq} do not fit the anchor of row ${seq}.`,
    };
  return null;
}

/** The anchor before that place: up to there the chain is as it was. */
function lastBelow(anchors: ReadonlyMap<number, string>, seq: number): number {
  let below = 0;
  for (const place of anchors.keys()) if (place < seq && place > below) below = place;
  return below;
}

function checkEnd(
  place: Pick<ChainPlace, 'seq'>,
  last: { readonly seq: number } | null,
): AuditProblem | null {
  if (last === null || last.seq <= place.seq) return null;
  return {
    damage: 'truncated',
    seq: place.seq + 1,
    entryId: null,
    message: `The chain ends at row ${place.seq}, and row ${last.seq} was anchored: rows from ${place.seq + 1} on are gone.`,
  };
}

/** Noted in the database after it was put into the store: one that is noted is there. */
async function checkAnchorsKept(
  { db, storage }: VerifyDeps,
  after: number,
  hashes: ReadonlyMap<number, string>,
): Promise<AuditProblem | null> {
  let place = after;
  for (;;) {
    const rows = await listAnchorKeys(db, place, PAGE);
    for (const { key, seq } of rows) {
      place = seq;
      // It may have come since the store was listed.
      if (hashes.has(seq) || (await exists(storage, key))) continue;
      const message = `The anchor ${key} is not in the object store any more.`;
      return { damage: 'anchor_missing', seq, entryId: null, message };
    }
    if (rows.length < PAGE) return null;
  }
}

async function exists(storage: VerifyDeps['storage'], key: string): Promise<boolean> {
  try {
    await storage.fileInfo(key);
    return true;
  } catch (error) {
    if (isStorageError(error, 'NOT_FOUND')) return false;
    throw error;
  }
}

async function outsideFrom({ db }: VerifyDeps, start: ChainPlace): Promise<EntryPlace> {
  const { atUs } = await entryPlaceOf(db, start.seq);
  return { atUs: Math.max(0, atUs - LATE_US), id: 0 };
}

/** Rows that the chain does not know: lost before they were sealed, put there by another way, or waiting too long. */
async function checkOutside(
  { db }: VerifyDeps,
  from: EntryPlace,
  onPage: (place: EntryPlace) => Promise<void>,
): Promise<AuditProblem | null> {
  const lost = await findLost(db);
  if (lost !== null) return foreignRow('removed', lost.id, 'was removed before it was sealed');
  for (let place: EntryPlace | null = from; place !== null; ) {
    const page = await listWithoutSeal(db, place, PAGE);
    for (const { id, isQueued, ageSeconds } of page.unsealed) {
      if (!isQueued) return foreignRow('added', id, 'has no seal, and was not written as entries are');
      if (ageSeconds > UNSEALED_SECONDS)
        return foreignRow('unsealed', id, `waits for its seal for ${Math.round(ageSeconds)} seconds`);
    }
    place = page.next;
    if (place !== null) await onPage(place);
  }
  return null;
}

function foreignRow(damage: AuditDamage, entryId: number, what: string): AuditProblem {
  return { damage, seq: null, entryId, message: `Entry ${entryId} ${what}.` };
}
