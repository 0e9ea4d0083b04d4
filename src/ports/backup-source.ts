import type { Readable } from 'node:stream';
import type { ObjectKey } from '../domain/keys.ts';

/**
 * A place that may still have an object's bytes: a replica, an earlier version, a backup. What it gives is believed only
 * after it was checked against what the rows know.
 */
export interface BackupSource {
  /** As records of what was restored name it. */
  readonly name: string;
  /**
   * The copies it has of an object, the likeliest first; none is no error. STORAGE_UNAVAILABLE when it does not answer,
   * OBJECT_ARCHIVED after the others when it has copies that cannot be read now.
   */
  copiesOf(key: ObjectKey, signal?: AbortSignal): AsyncIterable<Readable>;
}
