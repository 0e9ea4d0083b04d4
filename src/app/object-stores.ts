import { join } from 'node:path';
import { createFilesystemObjectStore } from '../adapters/object-store/filesystem.ts';
import type { Config } from '../config/index.ts';
import { PREFIXES, WRITTEN_PREFIXES } from '../domain/keys.ts';
import type { BackupSource } from '../ports/backup-source.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import { storeAsBackup, versionsAsBackup } from '../services/storage/backup-sources.ts';
import { createStorageService, type StorageService } from '../services/storage.service.ts';

/** The store that the configuration names, and its copy in another region where there is one. */
export async function createObjectStores(
  config: Config,
  publicUrl: string,
  signingKey: Uint8Array,
): Promise<{ readonly store: ObjectStore; readonly replica: ObjectStore | null }> {
  if (config.storage.driver === 's3') return createS3ObjectStores(config);
  const store = await createFilesystemObjectStore({
    root: join(config.server.dataDir, 'objects'),
    fsync: config.storage.fsync,
    publicUrl,
    signingKey,
  });
  return { store, replica: null };
}

/** Readers are not kept waiting for a primary that does not answer while the replica has what they want. */
const PATIENCE_WITH_REPLICA = { readMs: 2_000, writeMs: 60_000 };

async function createS3ObjectStores({ s3, server }: Config) {
  const writes = prefixesWrittenBy(server.roles);
  // Only who uses the SDK pays for loading it.
  const { createS3ObjectStore } = await import('../adapters/object-store/s3.ts');
  if (s3.replica === null) return { store: await createS3ObjectStore({ ...s3, writes }), replica: null };
  const store = await createS3ObjectStore({ ...s3, writes, patience: PATIENCE_WITH_REPLICA });
  try {
    const replica = await createS3ObjectStore({
      ...s3,
      ...s3.replica,
      role: 'replica',
      variables: {
        bucket: 'S3_REPLICA_BUCKET',
        region: 'S3_REPLICA_REGION',
        endpoint: 'S3_REPLICA_ENDPOINT',
      },
    });
    return { store, replica };
  } catch (error) {
    await store.close();
    throw error;
  }
}

/** Where a process of these roles writes, which is tried at its start: of the ledger's, workers alone write heads. */
export function prefixesWrittenBy(roles: Config['server']['roles']): readonly string[] {
  if (roles.includes('worker')) return WRITTEN_PREFIXES;
  return WRITTEN_PREFIXES.map((prefix) => (prefix === PREFIXES.audit ? PREFIXES.auditRestores : prefix));
}

/**
 * The store as the edge reads it. Over a network a read is worth what the service adds: it goes on after a broken
 * connection, and at the replica when the primary does not answer.
 */
export function readingThrough(storage: StorageService, store: ObjectStore): ObjectStore {
  if (!store.capabilities.retriesItself) return store;
  return {
    ...store,
    get: (key, options) => storage.downloadFile(key, options),
    head: (key, signal) => storage.fileInfo(key, signal),
  };
}

/** Where lost bytes are looked for, the nearest first; a backup elsewhere would be one more of these. */
export function backupsOf(store: ObjectStore, replica: ObjectStore | null): readonly BackupSource[] {
  const sources = [
    versionsAsBackup('earlier version', store),
    replica === null ? null : storeAsBackup('replica', createStorageService({ store: replica })),
    replica === null ? null : versionsAsBackup('earlier version in the replica', replica),
  ];
  return sources.filter((source) => source !== null);
}
