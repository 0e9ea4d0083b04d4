import type { Db } from '../schema.ts';

export interface AnchorRow {
  readonly key: string;
  readonly kind: 'head' | 'drop';
  readonly seq: number;
  readonly hash: Uint8Array;
  /** The first day of the dropped month. */
  readonly month: string | null;
}

/** Notes an anchor that lies in the object store. The same one again is a success. */
export async function insertAnchor(db: Db, anchor: AnchorRow): Promise<void> {
  await db
    .insertInto('audit.anchors')
    .values({ ...anchor, hash: Buffer.from(anchor.hash) })
    .onConflict((conflict) => conflict.column('key').doNothing())
    .execute();
}

/** Where the chain stood at the last anchor that was noted; 0 before the first. */
export async function lastAnchoredSeq(db: Db): Promise<number> {
  const row = await db
    .selectFrom('audit.anchors')
    .select('seq')
    .where('kind', '=', 'head')
    .orderBy('seq', 'desc')
    .limit(1)
    .executeTakeFirst();
  return row?.seq ?? 0;
}

/** Keys of the anchors that were noted, behind a place, in order: what the object store is compared with. */
export async function listAnchorKeys(
  db: Db,
  after: number,
  limit: number,
): Promise<{ key: string; seq: number }[]> {
  return db
    .selectFrom('audit.anchors')
    .select(['key', 'seq'])
    .where('kind', '=', 'head')
    .where('seq', '>', after)
    .orderBy('seq')
    .limit(limit)
    .execute();
}
