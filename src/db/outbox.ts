import { sql } from 'kysely';
import { anyOf } from './any-of.ts';
import { jsonText } from './json.ts';
import { OUTBOX_COLUMNS } from './row-columns.ts';
import type { Db, OutboxRow } from './schema.ts';

/** What must follow from a committed change. */
export interface OutboxTopics {
  readonly ingest: { readonly fileId: string; readonly generation: number };
  readonly derive: { readonly fileId: string; readonly generation: number };
  readonly 'scan-document': { readonly fileId: string; readonly generation: number };
  /** Read text and codes of a public photo. */
  readonly 'read-text': { readonly fileId: string; readonly generation: number };
  /** Judge a public photo by the rules of another category. */
  readonly rejudge: { readonly fileId: string };
  /** Remove these keys from the store, then have the CDN forget these paths; a file that is deleting is deleted then. */
  readonly 'delete-objects': {
    readonly fileId: string;
    readonly keys: readonly string[];
    readonly paths: readonly string[];
  };
  /** Have the store bring an archived original back. */
  readonly restore: { readonly fileId: string };
  /** Take what a legal hold keeps of a file out of the public prefixes. */
  readonly 'move-evidence': { readonly fileId: string };
  /** Make the CDN forget these paths. */
  readonly purge: { readonly fileId: string; readonly paths: readonly string[] };
}
export type OutboxTopic = keyof OutboxTopics;

/** Adds a consequence, in the transaction of its cause. */
export async function addToOutbox<Topic extends OutboxTopic>(
  db: Db,
  topic: Topic,
  payload: OutboxTopics[Topic],
): Promise<void> {
  await db
    .insertInto('outbox')
    .values({ topic, file_id: payload.fileId, payload: jsonText(payload) })
    .execute();
}

const OUTBOX = sql.join(OUTBOX_COLUMNS.map((column) => sql.ref(column)));

/**
 * Takes up to `limit` waiting rows for `leaseSeconds`: if they are not marked delivered by then (the process died),
 * they come again. With `fileId` only what follows from that file; never what `except` names.
 */
export async function claimOutbox(
  db: Db,
  limit: number,
  leaseSeconds: number,
  {
    fileId = null,
    except = [],
  }: { readonly fileId?: string | null; readonly except?: readonly OutboxTopic[] } = {},
): Promise<OutboxRow[]> {
  const ofFile = fileId === null ? sql`` : sql`and file_id = ${fileId}`;
  const ofTopic = except.length === 0 ? sql`` : sql`and topic not in (${sql.join(except)})`;
  const result = await sql<OutboxRow>`
    update outbox set attempts = attempts + 1, available_at = now() + make_interval(secs => ${leaseSeconds})
    where id in (
      select id from outbox where delivered_at is null and available_at <= now() ${ofFile} ${ofTopic}
      order by available_at, id limit ${limit} for update skip locked
    )
    returning ${OUTBOX}
  `.execute(db);
  return result.rows.toSorted((a, b) => a.id - b.id);
}

export async function markDelivered(db: Db, ids: readonly number[]): Promise<void> {
  if (ids.length === 0) return;
  await db
    .updateTable('outbox')
    .set({ delivered_at: sql<Date>`now()` })
    .where('id', '=', anyOf(ids))
    .execute();
}

/** Puts a row back to be tried after `delaySeconds`. */
export async function retryOutboxLater(db: Db, id: number, delaySeconds: number): Promise<void> {
  await db
    .updateTable('outbox')
    .set({ available_at: sql<Date>`now() + make_interval(secs => ${delaySeconds})` })
    .where('id', '=', id)
    .execute();
}

/** Removes rows delivered before then. Returns how many. */
export async function trimOutbox(db: Db, before: Date): Promise<number> {
  const result = await db.deleteFrom('outbox').where('delivered_at', '<', before).executeTakeFirst();
  return Number(result.numDeletedRows);
}
