import { choice, flag, type Read } from './setting.ts';

export interface StorageConfig {
  readonly driver: 'filesystem' | 's3';
  /** Whether an object is on the disk, not only with the kernel, before it counts as stored. */
  readonly fsync: boolean;
}

export const STORAGE = {
  driver: choice('STORAGE_DRIVER', ['filesystem', 's3'], {
    description: 'Where objects are kept.',
    default: 'filesystem',
  }),
  fsync: flag('STORAGE_FSYNC', {
    description: 'Whether objects on the file system are flushed to the disk before they count as stored.',
    default: true,
  }),
};

export function readStorage(read: Read): StorageConfig {
  return { driver: read(STORAGE.driver), fsync: read(STORAGE.fsync) };
}
