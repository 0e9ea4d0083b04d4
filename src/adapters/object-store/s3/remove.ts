import { DeleteObjectCommand } from '@aws-sdk/client-s3';
import { StorageError } from '../../../domain/errors.ts';
import type { ObjectKey } from '../../../domain/keys.ts';
import { type Bucket, sending } from './bucket.ts';
import { newestFirst, type Version, versioningOf, versionsOf } from './versions.ts';

/** Whether the bucket keeps, or has once kept, what is overwritten and deleted. */
export async function keepsVersions(bucket: Bucket, signal?: AbortSignal): Promise<boolean> {
  return (await versioningOf(bucket, signal)) !== 'none';
}

/**
 * Deletes an object for good. In a bucket that keeps versions a plain DELETE hides the object and keeps its bytes, so there
 * every version and delete marker of the key is deleted by its id; a bucket whose versioning was switched on since the start
 * says so in its answer.
 */
export async function remove(
  bucket: Bucket,
  key: ObjectKey,
  versioned: boolean,
  signal?: AbortSignal,
): Promise<void> {
  if (!versioned) {
    const { DeleteMarker, VersionId } = await removeOne(bucket, key, undefined, signal);
    if (DeleteMarker !== true && VersionId === undefined) return;
  }
  const versions: Version[] = [];
  for await (const page of versionsOf(bucket, key, signal)) versions.push(...page);
  // The last one first: while any is left the newest must be the one that was, so that no content that had been replaced
  // is seen again.
  for (const { id } of versions.toSorted(newestFirst).toReversed()) await removeOne(bucket, key, id, signal);
}

/**
 * Hides an object behind a delete marker, which a plain DELETE makes in a bucket that keeps versions. While versioning is
 * suspended that DELETE destroys the version `null`, whichever that is ("Deleting object versions from a versioning-suspended
 * bucket", Amazon S3 User Guide, 2025): CONFLICT when it is an earlier one. A bucket that keeps none loses the present
 * content.
 */
export async function hide(bucket: Bucket, key: ObjectKey, signal?: AbortSignal): Promise<void> {
  const versioning = await versioningOf(bucket, signal);
  if (versioning === 'none') {
    await removeOne(bucket, key, undefined, signal);
    return;
  }
  for await (const page of versionsOf(bucket, key, signal)) {
    const isHidden = page.some(({ isLatest, isMarker }) => isLatest && isMarker);
    if (isHidden) return;
    const wouldDestroy = page.some(({ id, isLatest, isMarker }) => id === 'null' && !isLatest && !isMarker);
    if (versioning === 'suspended' && wouldDestroy)
      throw new StorageError('CONFLICT', 'Hiding the object would destroy an earlier version of it.');
  }
  await removeOne(bucket, key, undefined, signal);
}

function removeOne(bucket: Bucket, key: ObjectKey, version: string | undefined, signal?: AbortSignal) {
  return bucket.request(
    () =>
      bucket.client.send(
        new DeleteObjectCommand({
          Bucket: bucket.name,
          Key: key,
          ...(version !== undefined && { VersionId: version }),
        }),
        sending(signal),
      ),
    { signal, patienceMs: bucket.patience.readMs },
  );
}
