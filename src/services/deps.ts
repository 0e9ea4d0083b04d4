import type { FileEvents } from '../db/file-events.ts';
import type { Database } from '../db/schema.ts';
import type { Cache } from '../ports/cache.ts';
import type { Cdn } from '../ports/cdn.ts';
import type { Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import type { StorageSecurityService } from './storage-security.service.ts';
import type { StorageService } from './storage.service.ts';

/** What is allowed, and for how long. */
export interface FileLimits {
  /** Bytes of one upload. */
  readonly maxFileSize: number;
  readonly photosPerItem: number;
  /** Uploads of one owner that are on their way at once. */
  readonly unfinishedPerOwner: number;
  /** Uploaded bytes of one owner that count. */
  readonly bytesPerOwner: number;
  /** How long reserved bytes may take to arrive. */
  readonly pendingSeconds: number;
  /** How long the bytes of an upload in one request may take. */
  readonly receiveSeconds: number;
  /** How long the work on received bytes may take before the photo fails with a reason. */
  readonly workSeconds: number;
  /** What is still being checked after this no longer depends on temporary storage. */
  readonly quarantineAfterSeconds: number;
  readonly idempotencySeconds: number;
  /** Characters of a file's name that are kept. */
  readonly maxFilenameLength: number;
  readonly signedUrlMaxSeconds: number;
  /** How long a photo may wait for a moderator before that is an alarm. */
  readonly reviewAlarmSeconds: number;
  /** How long the second look at a take-down is for others than its moderator. */
  readonly secondLookSeconds: number;
}

/** What the services are built from. `app/compose.ts` makes the one instance. */
export interface ServiceDeps {
  readonly db: Database;
  readonly storage: StorageService;
  readonly cdn: Cdn;
  readonly cache: Cache;
  readonly events: FileEvents;
  readonly security: StorageSecurityService;
  readonly clock: Clock;
  readonly limits: FileLimits;
  readonly log: Log;
  /**
   * Delivers what follows from a committed change of this file now, as far as it can be done at once; whatever fails is
   * delivered later from the outbox.
   */
  readonly deliverNow: (fileId: string) => Promise<void>;
}
