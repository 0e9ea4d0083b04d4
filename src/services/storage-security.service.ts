import { randomBytes } from 'node:crypto';
import type { Duplex } from 'node:stream';
import type { Database, Db, FileRow } from '../db/schema.ts';
import { StorageError } from '../domain/errors.ts';
import type { KeyVault, WrappedKey } from '../ports/key-vault.ts';
import { type FileAction, type FileFacts, mayAccessFile, type Principal } from '../domain/access.ts';
import { isPublicKey, isSignedKey } from '../domain/keys.ts';
import { recordAccess } from '../db/access-log.ts';
import { findFile } from '../db/files.ts';
import { listAsides } from '../db/object-checks.ts';
import { findObjectOwner } from '../db/objects.ts';
import { listPublishedKeys } from '../db/variants.ts';
import { lostKeys } from './damage.ts';
import { type DocumentContext, decryptStream, encryptStream, WRAPPING_KEY_BYTES } from './document-crypto.ts';

/** Where wrapped document keys are kept: the only place, so that removing one shreds its document. */
export interface DocumentKeyStore {
  save(fileId: string, key: WrappedKey, trx?: Db): Promise<void>;
  load(fileId: string): Promise<WrappedKey | null>;
  destroy(fileId: string, trx?: Db): Promise<void>;
}

export interface StorageSecurityDeps {
  readonly db: Database;
  readonly storage: { getSignedUrl(key: string, expiration: number): Promise<string> };
  readonly vault: KeyVault;
  readonly documentKeys: DocumentKeyStore;
  /** The longest that a signed URL may work. Seconds. */
  readonly signedUrlMaxSeconds: number;
}

export interface StorageSecurityService {
  /**
   * A URL of the store that reads one object for `expiration` seconds, for who may read its file: a published rendition for
   * everybody, the sanitised view of a photo that is not public for owner and staff, written into the audit ledger before
   * the URL is given. Never of uploaded bytes or of an identity document: these are served by the service alone.
   *
   * Errors: INVALID_REQUEST for an expiration that is longer than allowed, NOT_FOUND for a key that no file of theirs has and
   * for bytes that are lost or were found in their place, FORBIDDEN, and those of `StorageService.getSignedUrl`.
   */
  generateSignedUrl(key: string, expiration: number, who: Principal | null): Promise<string>;
  /**
   * Makes a key for one document, keeps it wrapped (in `trx` when given, so that it commits with the file's row) and
   * returns the stream that encrypts what is written to it. One call per document.
   */
  encryptFile(document: DocumentContext, trx?: Db): Promise<Duplex>;
  /**
   * The stream that decrypts what is written to it; nothing of it may be used before it has ended without an error
   * (see `decryptStream`). NOT_FOUND once the document was shredded, FORBIDDEN when the key is not this document's.
   */
  decryptFile(document: DocumentContext): Promise<Duplex>;
  /**
   * Whether that caller may do that with the file an object key belongs to: by the one access function. False for a key
   * that no file has.
   */
  validateAccess(who: Principal | null, key: string, action: FileAction): Promise<boolean>;
  /** Writes who did what with the file of a key into the access log; to be called before the first byte is given. */
  auditAccess(who: Principal, key: string, action: string): Promise<void>;
  /** Shreds a document: nobody can open its object again, wherever copies of it lie. A missing key is a success. */
  shredFile(fileId: string, trx?: Db): Promise<void>;
}

/** Signed URLs and the encryption of identity documents: a wrapping key per document, itself wrapped by the vault. */
export function createStorageSecurityService(deps: StorageSecurityDeps): StorageSecurityService {
  const { storage, vault, documentKeys } = deps;
  return {
    async generateSignedUrl(key, expiration, who) {
      if (!(expiration >= 1 && expiration <= deps.signedUrlMaxSeconds))
        throw new StorageError('INVALID_REQUEST', `A link lasts 1 to ${deps.signedUrlMaxSeconds} seconds.`);
      const file = await fileOf(deps.db, key);
      if (file === null || !mayAccessFile(who, 'read', factsOf(file)))
        throw new StorageError('NOT_FOUND', 'There is no such object.');
      const asides = await listAsides(deps.db, file.id);
      if (asides.includes(key) || (await lostKeys(deps.db, [file])).has(key))
        throw new StorageError('NOT_FOUND', 'There is no such object.');
      if (!(await isOpen(deps.db, key))) {
        if (who === null || !isSignedKey(key) || !mayAccessFile(who, 'read_content', factsOf(file)))
          throw new StorageError('FORBIDDEN', 'There is no link to this object.');
        await recordAccess(deps.db, {
          userId: who.userId,
          action: 'object.sign',
          fileId: file.id,
          details: { key, expiration },
        });
      }
      return storage.getSignedUrl(key, expiration);
    },
    async encryptFile(document, trx) {
      const wrappingKey = randomBytes(WRAPPING_KEY_BYTES);
      await documentKeys.save(document.fileId, await vault.wrap(wrappingKey, vaultContext(document)), trx);
      return open(wrappingKey, document, encryptStream);
    },
    async decryptFile(document) {
      const wrapped = await documentKeys.load(document.fileId);
      if (wrapped === null)
        throw new StorageError('NOT_FOUND', 'The document cannot be opened any more.', {
          details: { fileId: document.fileId },
        });
      return open(await vault.unwrap(wrapped, vaultContext(document)), document, decryptStream);
    },
    async validateAccess(who, key, action) {
      const file = await fileOf(deps.db, key);
      return file !== null && mayAccessFile(who, action, factsOf(file));
    },
    async auditAccess(who, key, action) {
      const owner = await findObjectOwner(deps.db, key);
      await recordAccess(deps.db, { userId: who.userId, action, fileId: owner, details: { key } });
    },
    shredFile: (fileId, trx) => documentKeys.destroy(fileId, trx),
  };
}

/** What is published. Evidence may lie at a public key of a photo that others may read. */
async function isOpen(db: Db, key: string): Promise<boolean> {
  return isPublicKey(key) && (await listPublishedKeys(db, [key])).has(key);
}

async function fileOf(db: Db, key: string): Promise<FileRow | null> {
  const owner = await findObjectOwner(db, key);
  return owner === null ? null : findFile(db, owner);
}

function factsOf(file: FileRow): FileFacts {
  return { kind: file.kind, ownerId: file.owner_id, state: file.state };
}

/** What a document's wrapped key is bound to in the vault. */
export function vaultContext({ fileId, ownerId }: DocumentContext): Readonly<Record<string, string>> {
  return { purpose: 'document', fileId, ownerId };
}

/** The stream keeps a copy of its own; this one is wiped. */
function open(
  wrappingKey: Uint8Array,
  document: DocumentContext,
  stream: (wrappingKey: Uint8Array, context: DocumentContext) => Duplex,
): Duplex {
  try {
    return stream(wrappingKey, document);
  } finally {
    wrappingKey.fill(0);
  }
}
