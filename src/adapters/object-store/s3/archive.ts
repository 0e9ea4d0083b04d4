import { HeadObjectCommand, RestoreObjectCommand } from '@aws-sdk/client-s3';
import { StorageError } from '../../../domain/errors.ts';
import type { ObjectKey } from '../../../domain/keys.ts';
import type { ArchiveStatus } from '../../../ports/object-store.ts';
import { type Bucket, sending } from './bucket.ts';
import { reasonOf } from './failures.ts';

/**
 * Asks S3 to make an archived object readable for some days: hours later from GLACIER, up to two days from DEEP_ARCHIVE
 * ("Standard" retrieval; Amazon S3 User Guide, "Archive retrieval options", 2025).
 * Errors: NOT_FOUND, CONFLICT when it is not archived, INVALID_REQUEST.
 */
export async function restore(bucket: Bucket, key: ObjectKey, days: number): Promise<void> {
  if (!Number.isInteger(days) || days < 1)
    throw new StorageError('INVALID_REQUEST', 'An object is restored for one day or more.');
  try {
    await bucket.request(
      () =>
        bucket.client.send(
          new RestoreObjectCommand({
            Bucket: bucket.name,
            Key: key,
            RestoreRequest: { Days: days, GlacierJobParameters: { Tier: 'Standard' } },
          }),
        ),
      { patienceMs: bucket.patience.readMs },
    );
  } catch (error) {
    if (reasonOf(error) === 'RestoreAlreadyInProgress') return;
    if (reasonOf(error) === 'InvalidObjectState')
      throw new StorageError('CONFLICT', 'The object is not archived.', { cause: error });
    throw error;
  }
}

/** Read from `x-amz-restore` and the class. */
export async function archiveStatus(
  bucket: Bucket,
  key: ObjectKey,
  signal?: AbortSignal,
): Promise<ArchiveStatus> {
  const {
    StorageClass,
    Restore,
    ArchiveStatus: tier,
  } = await bucket.request(
    () => bucket.client.send(new HeadObjectCommand({ Bucket: bucket.name, Key: key }), sending(signal)),
    { signal, patienceMs: bucket.patience.readMs },
  );
  // Objects of INTELLIGENT_TIERING may lie in an archive tier.
  const isArchived = StorageClass === 'GLACIER' || StorageClass === 'DEEP_ARCHIVE' || tier !== undefined;
  if (!isArchived) return 'none';
  if (Restore === undefined) return 'archived';
  return Restore.includes('ongoing-request="true"') ? 'restoring' : 'restored';
}
