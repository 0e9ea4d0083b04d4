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
