import { createHash } from 'node:crypto';
import { pipeline, Readable, Transform } from 'node:stream';
import { mayAccessFile, type Principal } from '../domain/access.ts';
import { StorageError } from '../domain/errors.ts';
import type { FileId } from '../domain/ids.ts';
import { recordAccess } from '../db/access-log.ts';
import { listOwned } from '../db/files.ts';
import type { FileRow } from '../db/schema.ts';
import type { FileManagementService } from './contracts.ts';
import type { ServiceDeps } from './deps.ts';
import { fileFor, lockedFileFor } from './photos/one-photo.ts';
import { toPhotos } from './photos/photo-view.ts';
import { remove } from './removal.ts';
import type { StoredUpload } from './uploads/receive.ts';
import { tooLarge } from './uploads/reserve.ts';
import { storedKey } from './uploads/stored-key.ts';
import { upload } from './uploads/upload.ts';
import { refusalOf } from './uploads/wait.ts';

type Documents = Pick<
  FileManagementService,
  | 'uploadVerificationDocument'
  | 'listVerificationDocuments'
  | 'openVerificationDocument'
  | 'deleteVerificationDocument'
>;

/** Identity documents: encrypted as they stream in, opened only for their owner and for moderators, and audited. */
export function createDocuments(deps: ServiceDeps): Documents {
  return {
    uploadVerificationDocument: (who, userId, file, options) =>
      upload(
        deps,
        who,
        { kind: 'verification_document', target: { userId } },
        file,
        options,
        (row, body, signal) => receiveEncrypted(deps, row, body, signal),
      ),

    async listVerificationDocuments(who, userId) {
      const mayList = mayAccessFile(who, 'read', {
        kind: 'verification_document',
        ownerId: userId,
        state: 'ready',
      });
      if (!mayList) throw new StorageError('FORBIDDEN', 'Only the user and moderators see these documents.');
      const files = await listOwned(deps.db, userId, 'verification_document', [
        'received',
        'checking',
        'ready',
        'rejected',
        'failed',
      ]);
      return toPhotos(deps, files, true);
    },

    async openVerificationDocument(who, id) {
      const file = await documentFor(deps, who, 'read_content', id);
      assertReady(file);
      assertAtHand(file);
      await recordAccess(deps.db, { userId: who.userId, action: 'document.read', fileId: id });
      const body = await openDocument(deps, file);
      return { filename: file.filename, contentType: contentTypeOf(file), body };
    },

    async deleteVerificationDocument(who, id) {
      await deps.db.transaction().execute(async (trx) => {
        const file = await lockedFileFor(trx, who, 'delete', id);
        if (file.kind !== 'verification_document') throw notFound();
        if (file.state === 'deleting') return;
        await remove(trx, file);
        await recordAccess(trx, { userId: who.userId, action: 'document.delete', fileId: id });
      });
      await deps.deliverNow(id);
    },
  };
}

/** Errors: OBJECT_ARCHIVED. Nothing of it is read, so nothing is written down as read. */
function assertAtHand({ archive }: FileRow): void {
  if (archive === 'archived')
    throw new StorageError(
      'OBJECT_ARCHIVED',
      'The document is archived; ask for it to be brought back first (POST /v1/photos/{id}/restore).',
    );
  if (archive === 'restoring')
    throw new StorageError('OBJECT_ARCHIVED', 'The document is on its way back from the archive.');
}

/** The plain bytes of a document. NOT_FOUND once it was shredded, FORBIDDEN when key and bytes do not fit. */
export async function openDocument(
  deps: Pick<ServiceDeps, 'storage' | 'security'>,
  file: FileRow,
  signal?: AbortSignal,
): Promise<Readable> {
  const plain = await deps.security.decryptFile(contextOf(file));
  const { body } = await deps.storage.downloadFile(storedKey(file), signal === undefined ? {} : { signal });
  // Whichever of the two ends early takes the other with it: the failure is seen by who reads.
  pipeline(body, plain, () => undefined);
  return plain;
}

/** Encrypts with a key of the document's own while the bytes come in; hash and length are those of the plain bytes. */
async function receiveEncrypted(
  deps: ServiceDeps,
  file: FileRow,
  body: Readable | Uint8Array,
  signal?: AbortSignal,
): Promise<StoredUpload> {
  const measure = measured(deps.limits.maxFileSize);
  const source = body instanceof Readable ? body : Readable.from([body]);
  const encrypted = await deps.security.encryptFile(contextOf(file));
  // A failure of any of them is seen by the store, which reads the last.
  pipeline(source, measure.stream, encrypted, () => undefined);
  const stored = await deps.storage.uploadFile(encrypted, {
    key: storedKey(file),
    contentType: 'application/octet-stream',
    access: 'private',
    ...(signal === undefined ? {} : { signal }),
  });
  const received = { ...measure.result(), etag: stored.etag, objectBytes: stored.bytes };
  if (received.bytes === 0) throw new StorageError('INVALID_REQUEST', 'The file is empty.');
  return received;
}

/** Counts and hashes what passes; more than `maxBytes` is FILE_TOO_LARGE at once. */
function measured(maxBytes: number) {
  const hash = createHash('sha256');
  let bytes = 0;
  const stream = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      hash.update(chunk);
      if (bytes > maxBytes) done(tooLarge(maxBytes));
      else done(null, chunk);
    },
  });
  return { stream, result: () => ({ bytes, sha256: hash.digest('hex') }) };
}

async function documentFor(
  deps: Pick<ServiceDeps, 'db'>,
  who: Principal,
  action: 'read' | 'read_content',
  id: FileId,
): Promise<FileRow> {
  const file = await fileFor(deps.db, who, action, id);
  if (file.kind !== 'verification_document') throw notFound();
  return file;
}

/** Errors: NOT_FOUND for one on its way out; CONFLICT, with the reason, for one that is refused or not ready yet. */
function assertReady(file: FileRow): void {
  if (file.state === 'ready') return;
  if (file.state === 'deleting' || file.state === 'deleted') throw notFound();
  const refusal = refusalOf(file);
  throw refusal === null
    ? new StorageError('CONFLICT', 'The document is still being checked.')
    : new StorageError('CONFLICT', refusal.message, { cause: refusal });
}

function contextOf(file: FileRow) {
  return { fileId: file.id, ownerId: file.owner_id };
}

function contentTypeOf(file: FileRow): string {
  return file.source_format === 'pdf' ? 'application/pdf' : `image/${file.source_format ?? 'jpeg'}`;
}

function notFound(): StorageError {
  return new StorageError('NOT_FOUND', 'There is no such document.');
}
