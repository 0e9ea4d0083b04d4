import type { BucketLifecycle, BucketLifecycleRule } from '#src/domain/bucket-lifecycle.ts';
import type { StorageClass } from '#src/domain/storage-class.ts';

/** What S3 does with an object at a moment. */
export type BucketVerdict =
  | { readonly does: 'delete' }
  | { readonly does: 'move'; readonly to: StorageClass };

const DAY_MS = 86_400_000;

/**
 * What a bucket with this lifecycle configuration does with the present version of an object: "Managing the lifecycle of
 * objects", Amazon S3 User Guide (2025). Days are added to the time of writing and rounded up to the next midnight, UTC;
 * filters are exact; expiration beats transition.
 */
export function whatBucketDoes(
  { Rules }: BucketLifecycle,
  object: { readonly key: string; readonly bytes: number; readonly writtenAt: Date },
  now: Date,
): BucketVerdict | null {
  const matching = Rules.filter((rule) => matches(rule, object));
  for (const { Expiration } of matching)
    if (Expiration !== undefined && 'Days' in Expiration && isDue(object.writtenAt, Expiration.Days, now))
      return { does: 'delete' };
  for (const { Transitions } of matching)
    for (const { Days, StorageClass: to } of Transitions ?? [])
      if (isDue(object.writtenAt, Days, now)) return { does: 'move', to };
  return null;
}

function matches({ Filter }: BucketLifecycleRule, object: { key: string; bytes: number }): boolean {
  if ('Prefix' in Filter) return object.key.startsWith(Filter.Prefix);
  const { Prefix, ObjectSizeGreaterThan } = Filter.And;
  return object.key.startsWith(Prefix) && object.bytes > ObjectSizeGreaterThan;
}

function isDue(writtenAt: Date, days: number, now: Date): boolean {
  const exact = writtenAt.getTime() + days * DAY_MS;
  return now.getTime() >= Math.ceil(exact / DAY_MS) * DAY_MS;
}
