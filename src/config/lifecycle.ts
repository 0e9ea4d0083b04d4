import { RETENTION } from '../domain/retention.ts';
import { integer, type Read } from './setting.ts';

/** Times are in seconds, where they do not say otherwise. */
export interface LifecycleConfig {
  /** How long reserved bytes may take to arrive. */
  readonly pendingSeconds: number;
  /** How long the work on received bytes may take before the photo ends failed, with a reason. */
  readonly workSeconds: number;
  /** What is still being checked after so long moves from `temp/` to `quarantine/`. */
  readonly quarantineAfterSeconds: number;
  /** How long an Idempotency-Key is remembered. */
  readonly idempotencySeconds: number;
  /** Between two runs that carry out the rules of retention. 0: only when somebody starts one. */
  readonly runEveryHours: number;
}

const HOUR = 3600;

/**
 * Bytes that have arrived in time are under `temp/` for a day at most, and those that are still checked leave it within
 * another: both before the bucket's own rule, which comes after two.
 */
const MOST_HOURS_IN_TEMP = RETENTION['temporary-objects'].days * 24;

export const LIFECYCLE = {
  pendingHours: integer('UPLOAD_DEADLINE_HOURS', {
    description: 'Hours that announced bytes may take to arrive; temporary storage is emptied after a day.',
    default: 24,
    min: 1,
    max: MOST_HOURS_IN_TEMP,
  }),
  workHours: integer('WORK_DEADLINE_HOURS', {
    description: 'Hours that the work on a photo may take before it ends failed, with a reason.',
    default: 8,
    min: 1,
    max: 168,
  }),
  quarantineAfterHours: integer('QUARANTINE_AFTER_HOURS', {
    description: 'Hours after which what is still being checked no longer depends on temporary storage.',
    default: 6,
    min: 1,
    max: MOST_HOURS_IN_TEMP - 1,
  }),
  idempotencyHours: integer('IDEMPOTENCY_HOURS', {
    description: 'Hours that an Idempotency-Key is remembered.',
    default: 24,
    min: 1,
    max: 168,
  }),
  runEveryHours: integer('LIFECYCLE_EVERY_HOURS', {
    description:
      'Hours between two runs that archive, expire and tidy up by the rules of retention; 0 for only when an admin starts one.',
    default: 24,
    min: 0,
    max: 168,
  }),
};

export function readLifecycle(read: Read): LifecycleConfig {
  return {
    pendingSeconds: read(LIFECYCLE.pendingHours) * HOUR,
    workSeconds: read(LIFECYCLE.workHours) * HOUR,
    quarantineAfterSeconds: read(LIFECYCLE.quarantineAfterHours) * HOUR,
    idempotencySeconds: read(LIFECYCLE.idempotencyHours) * HOUR,
    runEveryHours: read(LIFECYCLE.runEveryHours),
  };
}
