import { type OwnerTotal, readStorage, type StorageSum, type StorageTotal } from '../../db/rollups.ts';
import type { Database } from '../../db/schema.ts';
import { monthlyUsd } from '../../domain/cost.ts';
import { type Prices, US_EAST_1 } from '../../domain/prices.ts';
import type { StorageClass } from '../../domain/storage-class.ts';

/** Sellers that a report names: those who store most. */
const OWNERS = 20;

export interface StorageLine {
  readonly objects: number;
  readonly bytes: number;
  /** US dollars a month for keeping them, by the price list that the report names. */
  readonly usdMonth: number;
}

/** What is stored and what keeping it costs. From counters that equal a count of every object. */
export interface StorageReport {
  readonly at: string;
  readonly total: StorageLine;
  readonly byPrefix: readonly ({ readonly prefix: string } & StorageLine)[];
  readonly byClass: readonly ({ readonly storageClass: StorageClass } & StorageLine)[];
  /** By the state of the files they belong to. */
  readonly byState: readonly ({ readonly state: string } & StorageLine)[];
  /** The twenty who store most. */
  readonly bySeller: readonly ({ readonly sellerId: string } & StorageLine)[];
  readonly prices: { readonly region: string; readonly asOf: string; readonly source: string };
}

/**
 * The report of this moment. What the bucket moves by itself is counted in its class from the next lifecycle run on,
 * which sees it; what S3 tiers by use costs at most what is said here.
 */
export async function storageReport(
  { db, now }: { db: Database; now: Date },
  prices: Prices = US_EAST_1,
): Promise<StorageReport> {
  const { totals, owners } = await readStorage(db, OWNERS);
  const lines = totals.map((total) => ({ ...total, line: lineOf(total.storageClass, total, prices) }));
  const by = <Key extends string>(key: (total: StorageTotal) => Key) =>
    [...Map.groupBy(lines, key)].map(([name, group]) => ({
      name,
      line: sum(group.map((each) => each.line)),
    }));
  return {
    at: now.toISOString(),
    total: sum(lines.map((each) => each.line)),
    byPrefix: by((total) => total.prefix).map(({ name, line }) => ({ prefix: name, ...line })),
    byClass: by((total) => total.storageClass).map(({ name, line }) => ({ storageClass: name, ...line })),
    byState: by((total) => total.state).map(({ name, line }) => ({ state: name, ...line })),
    bySeller: owners.map((owner) => ({ sellerId: owner.ownerId, ...lineOfOwner(owner, prices) })),
    prices: { region: prices.region, asOf: prices.asOf, source: prices.source },
  };
}

function lineOfOwner({ objects, bytes, classes }: OwnerTotal, prices: Prices): StorageLine {
  const { usdMonth } = sum(classes.map((each) => lineOf(each.storageClass, each, prices)));
  return { objects, bytes, usdMonth };
}

function lineOf(
  storageClass: StorageClass,
  { objects, bytes, billedBytes }: StorageSum,
  prices: Prices,
): StorageLine {
  const { nameBytes, watchMonth } = prices.classes[storageClass];
  const billed = {
    inClass: billedBytes,
    inStandard: objects * nameBytes,
    watched: watchMonth > 0 ? objects : 0,
  };
  const usdMonth = monthlyUsd(storageClass, billed, prices);
  return { objects, bytes, usdMonth };
}

function sum(lines: readonly StorageLine[]): StorageLine {
  const total = { objects: 0, bytes: 0, usdMonth: 0 };
  for (const line of lines) {
    total.objects += line.objects;
    total.bytes += line.bytes;
    total.usdMonth += line.usdMonth;
  }
  return total;
}
