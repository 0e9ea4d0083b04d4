import {
  type DeleteMarkerEntry,
  GetBucketVersioningCommand,
  ListObjectVersionsCommand,
  type ObjectVersion,
} from '@aws-sdk/client-s3';
import type { ObjectKey } from '../../../domain/keys.ts';
import { type Bucket, sending } from './bucket.ts';

/** What a bucket keeps of a key: a content, or the marker of a deletion. */
export interface Version {
  /** `null` (four letters) for what was written while the bucket kept no versions. */
  readonly id: string;
  readonly isLatest: boolean;
  readonly isMarker: boolean;
  /** Milliseconds since the epoch. */
  readonly modifiedAt: number;
}

/** Whether a bucket keeps what is overwritten and deleted: it does, it did once, it never has. */
export async function versioningOf(
  bucket: Bucket,
  signal?: AbortSignal,
): Promise<'enabled' | 'suspended' | 'none'> {
  const { Status } = await bucket.request(
    () => bucket.client.send(new GetBucketVersioningCommand({ Bucket: bucket.name }), sending(signal)),
    { signal, patienceMs: bucket.patience.readMs },
  );
  if (Status === undefined) return 'none';
  return Status === 'Enabled' ? 'enabled' : 'suspended';
}

/**
 * All versions and delete markers of exactly this key, a page at a time, as long as the caller goes on. S3 lists the newest
 * first; not every server does, so within a page they are in that order.
 */
export async function* versionsOf(
  bucket: Bucket,
  key: ObjectKey,
  signal?: AbortSignal,
): AsyncGenerator<Version[]> {
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
    const here = [...listed(page.Versions, false), ...listed(page.DeleteMarkers, true)];
    yield here.filter((version) => version.key === key).toSorted(newestFirst);
    // The key itself comes before all keys that begin with it.
    const isPast = here.some((version) => version.key !== key);
    marker =
      page.IsTruncated && !isPast && page.NextKeyMarker !== undefined
        ? {
            KeyMarker: page.NextKeyMarker,
            ...(page.NextVersionIdMarker !== undefined && { VersionIdMarker: page.NextVersionIdMarker }),
          }
        : null;
  }
}

export function newestFirst(one: Version, other: Version): number {
  return Number(other.isLatest) - Number(one.isLatest) || other.modifiedAt - one.modifiedAt;
}

function listed(
  entries: readonly (ObjectVersion | DeleteMarkerEntry)[] | undefined,
  isMarker: boolean,
): (Version & { readonly key: string | undefined })[] {
  return (entries ?? []).flatMap(({ Key: key, VersionId: id, IsLatest, LastModified }) => {
    if (id === undefined) return [];
    const modifiedAt = LastModified?.getTime() ?? 0;
    return [{ key, id, isLatest: IsLatest ?? false, isMarker, modifiedAt }];
  });
}
