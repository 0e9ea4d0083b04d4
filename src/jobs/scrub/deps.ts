import type { BackupSource } from '../../ports/backup-source.ts';
import type { StorageService } from '../../services/storage.service.ts';
import type { JobDeps } from '../deps.ts';

export interface ScrubDeps extends JobDeps {
  /** The primary store alone: what a replica answers in its place says nothing about it. */
  readonly primary: StorageService;
  /** Where lost bytes are looked for, in this order. */
  readonly backups: readonly BackupSource[];
  readonly scrub: ScrubSettings;
}

export interface ScrubSettings {
  /** Reading stays below this. */
  readonly bytesPerSecond: number;
}
