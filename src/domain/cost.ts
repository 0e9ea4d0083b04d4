import { type Prices, US_EAST_1 } from './prices.ts';
import type { StorageClass } from './storage-class.ts';

/** As S3 counts a month of storage for a price list: 365 days ÷ 12. */
const DAYS_A_MONTH = 365 / 12;
const GIB = 1024 ** 3;

/** What an object is charged as, beyond its own bytes. */
export interface BilledBytes {
  /** At the price of its class. */
  readonly inClass: number;
  /** At the price of STANDARD: names of archived objects stay listed. */
  readonly inStandard: number;
  /** Objects that S3 watches, to tier them by their use. */
  readonly watched: number;
}

/** Bytes that are charged for an object of `bytes` in a class. `db/rollups` counts by the same rule, and a test holds both. */
export function billedBytes(
  storageClass: StorageClass,
  bytes: number,
  prices: Prices = US_EAST_1,
): BilledBytes {
  const { minimumBytes, indexBytes, nameBytes, watchMonth } = prices.classes[storageClass];
  return {
    inClass: Math.max(bytes, minimumBytes) + indexBytes,
    inStandard: nameBytes,
    watched: watchMonth > 0 ? 1 : 0,
  };
}

/** US dollars for keeping billed bytes for a month. */
export function monthlyUsd(
  storageClass: StorageClass,
  billed: BilledBytes,
  prices: Prices = US_EAST_1,
): number {
  return usdAMonth(storageClass, billed, prices.classes[storageClass].gibMonth, prices);
}

/** US dollars for keeping one object that nobody reads for some days. */
export function keepingUsd(
  storageClass: StorageClass,
  bytes: number,
  days: number,
  prices: Prices = US_EAST_1,
): number {
  const { gibMonth, idleGibMonth = gibMonth } = prices.classes[storageClass];
  const billed = billedBytes(storageClass, bytes, prices);
  return (usdAMonth(storageClass, billed, idleGibMonth, prices) * days) / DAYS_A_MONTH;
}

function usdAMonth(
  storageClass: StorageClass,
  { inClass, inStandard, watched }: BilledBytes,
  gibMonth: number,
  { classes }: Prices,
): number {
  const kept = (inClass * gibMonth + inStandard * classes.STANDARD.gibMonth) / GIB;
  return kept + watched * classes[storageClass].watchMonth;
}

/** A change of storage class that is considered. */
export interface Move {
  readonly bytes: number;
  readonly from: StorageClass;
  readonly to: StorageClass;
  /** Whole days that it has been in `from`. */
  readonly daysInClass: number;
  /** How long it is expected to stay from now on. */
  readonly daysLeft: number;
  /** How long a bucket with versions keeps what the move replaces, at the price of `from`. Default 0. */
  readonly oldVersionDays?: number;
}

export interface MoveCost {
  /** US dollars for leaving it where it is. */
  readonly staying: number;
  /** US dollars for moving it: the request, what it leaves behind, reading it, and keeping it there. */
  readonly moving: number;
  /** US dollars; negative when moving costs more. */
  readonly saved: number;
}

/**
 * What a change of storage class costs and saves over the days that the object is expected to live. Counts the copy's
 * request, the rest of the minimum duration of the class it leaves or the old version that stays there, whichever is
 * longer, the retrieval from classes that charge it, and at least the minimum duration of the class it enters.
 */
export function costOfMove(move: Move, prices: Prices = US_EAST_1): MoveCost {
  const { bytes, from, to, daysInClass, daysLeft, oldVersionDays = 0 } = move;
  const { classes } = prices;
  const behind = Math.max(oldVersionDays, classes[from].minimumDays - daysInClass);
  const staying = keepingUsd(from, bytes, daysLeft, prices);
  const moving =
    classes[to].write +
    (bytes / GIB) * classes[from].retrievedGib +
    keepingUsd(from, bytes, behind, prices) +
    keepingUsd(to, bytes, Math.max(daysLeft, classes[to].minimumDays), prices);
  return { staying, moving, saved: staying - moving };
}

/** Whether a move is planned at all: only one that saves. Small objects stay where they are. */
export function isWorthMoving(move: Move, prices: Prices = US_EAST_1): boolean {
  return move.from !== move.to && costOfMove(move, prices).saved > 0;
}

/** The smallest object for which the move saves, in bytes; null when none does up to `ceiling`. */
export function smallestWorthMoving(
  move: Omit<Move, 'bytes'>,
  ceiling = GIB,
  prices: Prices = US_EAST_1,
): number | null {
  if (!isWorthMoving({ ...move, bytes: ceiling }, prices)) return null;
  let low = 0;
  let high = ceiling;
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (isWorthMoving({ ...move, bytes: middle }, prices)) high = middle;
    else low = middle;
  }
  return high;
}
