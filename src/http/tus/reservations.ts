import type { Readable } from 'node:stream';
import { DataStore, Upload } from '@tus/server';
import { StorageError } from '#src/domain/errors.ts';
import { type FileId, isFileId } from '#src/domain/ids.ts';
import type { FileManagementService } from '#src/services/contracts.ts';

/** As long as temporary uploads live (design §6). */
export const TUS_LIFETIME_MS = 24 * 3600 * 1000;

/**
 * The uploads that tus knows are the reservations: it keeps nothing of its own, so that any process can go on with any of
 * them. Reserving is the creation; an upload that is over in time goes with its reservation.
 */
export class Reservations extends DataStore {
  readonly #files: Pick<FileManagementService, 'uploadProgress' | 'appendUpload'>;
  readonly #giveUp: (id: FileId) => Promise<void>;

  /** @param giveUp removes a reservation, with all that is there of it */
  constructor(
    files: Pick<FileManagementService, 'uploadProgress' | 'appendUpload'>,
    giveUp: (id: FileId) => Promise<void>,
  ) {
    super();
    this.extensions = ['termination', 'expiration'];
    this.#files = files;
    this.#giveUp = giveUp;
  }

  override async getUpload(id: string): Promise<Upload> {
    const { offset, bytes, filename, type, createdAt } = await this.#files.uploadProgress(known(id));
    const metadata = { filename, filetype: type };
    return new Upload({ id, size: bytes, offset, metadata, creation_date: createdAt.toISOString() });
  }

  override async write(stream: Readable, id: string, offset: number): Promise<number> {
    return this.#files.appendUpload(known(id), offset, stream);
  }

  /** The reservation first, so that nothing is left when the client is told so. */
  override async remove(id: string): Promise<void> {
    await this.#giveUp(known(id));
  }

  override getExpiration(): number {
    return TUS_LIFETIME_MS;
  }
}

function known(id: string): FileId {
  if (!isFileId(id)) throw new StorageError('NOT_FOUND', 'There is no such upload.');
  return id;
}
