import {
  DeleteObjectCommand,
  GetBucketVersioningCommand,
  ListObjectVersionsCommand,
} from '@aws-sdk/client-s3';
import type { ObjectKey } from '../../../domain/keys.ts';
import { type Bucket, sending } from './bucket.ts';

/** Whether the bucket keeps, or has once kept, what is overwritten and deleted. */
export async function keepsVersions(bucket: Bucket, signal?: AbortSignal): Promise<boolean> {
  const { Status } = await bucket.request(
    () => bucket.client.send(new GetBucketVersioningCommand({ Bucket: bucket.name }), sending(signal)),
    { signal, patienceMs: bucket.patience.readMs },
  );
  return Status === 'Enabled' || Status === 'Suspended';
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
  // The last one first: S3 lists the newest version first, and while any is left the newest must be the one that was, so
  // that no content that had been replaced is seen again.
  const versions = await versionsOf(bucket, key, signal);
  for (const version of versions.toReversed()) await removeOne(bucket, key, version, signal);
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

/** Ids of all versions and delete markers of exactly this key, the newest first. */
async function versionsOf(bucket: Bucket, key: ObjectKey, signal?: AbortSignal): Promise<string[]> {
  const found: { id: string; modifiedAt: number; isLatest: boolean }[] = [];
  let marker: { KeyMarker?: string; VersionIdMarker?: string } | null = {};
  while (marker !== null) {
    const at: { KeyMarker?: string; VersionIdMarker?: string } = marker;
    const page = await bucket.request(
      () =>
        bucket.client.send(
          new ListObjectVersionsCommand({ Bucket: bucket.name, Prefix: key, ...at }),
          sending(signal),
        ),
      { signal, patienceMs: bucket.patience.readMs },
    );
    const here = [...(page.Versions ?? []), ...(page.DeleteMarkers ?? [])];
    for (const { Key, VersionId, LastModified, IsLatest } of here)
      if (Key === key && VersionId !== undefined)
        found.push({ id: VersionId, modifiedAt: LastModified?.getTime() ?? 0, isLatest: IsLatest ?? false });
    // The key itself comes before all keys that begin with it.
    const isPast = here.some(({ Key }) => Key !== key);
    marker =
      page.IsTruncated && !isPast && page.NextKeyMarker !== undefined
        ? {
            KeyMarker: page.NextKeyMarker,
            ...(page.NextVersionIdMarker !== undefined && { VersionIdMarker: page.NextVersionIdMarker }),
          }
        : null;
  }
  const newestFirst = found.toSorted(
    (one, other) => Number(other.isLatest) - Number(one.isLatest) || other.modifiedAt - one.modifiedAt,
  );
  return newestFirst.map(({ id }) => id);
}
