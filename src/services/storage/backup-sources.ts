import { type ErrorCode, isStorageError } from '../../domain/errors.ts';
import type { BackupSource } from '../../ports/backup-source.ts';
import type { ObjectStore } from '../../ports/object-store.ts';
import type { StorageService } from '../storage.service.ts';

/** Answers of a store that has no copy to give; any other failure is a source that does not answer. */
const NO_COPY: ReadonlySet<ErrorCode> = new Set(['NOT_FOUND', 'OBJECT_DAMAGED']);

/** Another store with objects under the same keys: the replica bucket, a second disk. */
export function storeAsBackup(name: string, storage: Pick<StorageService, 'downloadFile'>): BackupSource {
  return {
    name,
    async *copiesOf(key, signal) {
      try {
        const { body } = await storage.downloadFile(key, signal === undefined ? {} : { signal });
        yield body;
      } catch (error) {
        if (!isStorageError(error) || !NO_COPY.has(error.code)) throw error;
      }
    },
  };
}

/** What a store keeps of objects that were overwritten or deleted behind our back; null for one that keeps nothing. */
export function versionsAsBackup(name: string, store: Pick<ObjectStore, 'previous'>): BackupSource | null {
  const { previous } = store;
  return previous === undefined ? null : { name, copiesOf: (key, signal) => previous(key, signal) };
}
