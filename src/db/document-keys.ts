import { sql } from 'kysely';
import type { WrappedKey } from '../ports/key-vault.ts';
import type { Db } from './schema.ts';

/** Keeps a document's wrapped key: the only place where it exists. */
export async function saveDocumentKey(db: Db, fileId: string, key: WrappedKey): Promise<void> {
  await db
    .insertInto('document_keys')
    .values({ file_id: fileId, key_id: key.keyId, ciphertext: Buffer.from(key.ciphertext) })
    .execute();
}

export async function loadDocumentKey(db: Db, fileId: string): Promise<WrappedKey | null> {
  const row = await db
    .selectFrom('document_keys')
    .selectAll()
    .where('file_id', '=', fileId)
    .executeTakeFirst();
  return row === undefined ? null : { keyId: row.key_id, ciphertext: row.ciphertext };
}

/** Shreds the document: without this row its object cannot be opened by anybody. */
export async function destroyDocumentKey(db: Db, fileId: string): Promise<void> {
  await db.deleteFrom('document_keys').where('file_id', '=', fileId).execute();
}

export interface DocumentKeyRow extends WrappedKey {
  readonly fileId: string;
  readonly ownerId: string;
}

/** Keys of documents that another wrapping key than this one wraps, by file id, behind `after`. */
export async function listWrappedByOthers(
  db: Db,
  currentKeyId: string,
  page: { readonly after: string | null; readonly limit: number },
): Promise<DocumentKeyRow[]> {
  let query = db
    .selectFrom('document_keys')
    .innerJoin('files', 'files.id', 'document_keys.file_id')
    .select(['document_keys.file_id', 'files.owner_id', 'document_keys.key_id', 'document_keys.ciphertext'])
    .where('document_keys.key_id', '<>', currentKeyId);
  if (page.after !== null) query = query.where('document_keys.file_id', '>', page.after);
  const rows = await query.orderBy('document_keys.file_id').limit(page.limit).execute();
  return rows.map((row) => ({
    fileId: row.file_id,
    ownerId: row.owner_id,
    keyId: row.key_id,
    ciphertext: row.ciphertext,
  }));
}

/** How many documents each wrapping key wraps. */
export async function countByWrappingKey(db: Db): Promise<ReadonlyMap<string, number>> {
  const rows = await db
    .selectFrom('document_keys')
    .select(['key_id', sql<number>`count(*)`.as('count')])
    .groupBy('key_id')
    .execute();
  return new Map(rows.map((row) => [row.key_id, row.count]));
}

/** Puts the re-wrapped key in place of the one that was read; false when that is gone or another by now. */
export async function replaceDocumentKey(
  db: Db,
  fileId: string,
  before: WrappedKey,
  after: WrappedKey,
): Promise<boolean> {
  const result = await db
    .updateTable('document_keys')
    .set({ key_id: after.keyId, ciphertext: Buffer.from(after.ciphertext) })
    .where('file_id', '=', fileId)
    .where('key_id', '=', before.keyId)
    .where('ciphertext', '=', Buffer.from(before.ciphertext))
    .executeTakeFirst();
  return result.numUpdatedRows === 1n;
}
