import {
  AbortMultipartUploadCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
  type MultipartUpload,
} from '@aws-sdk/client-s3';
import { isStorageError } from '../../../domain/errors.ts';
import type { Bucket } from './bucket.ts';

/**
 * Aborts multipart uploads that were begun, and last written to, more than `olderThanMs` ago. S3 keeps and charges for
 * their parts for ever otherwise. Resolves to how many; a dry run counts only.
 */
export async function sweepIncomplete(bucket: Bucket, olderThanMs: number, dryRun: boolean): Promise<number> {
  const before = bucket.clock.now().getTime() - olderThanMs;
  let swept = 0;
  for await (const upload of unfinishedUploads(bucket)) {
    if ((upload.Initiated?.getTime() ?? 0) > before) continue;
    if ((await lastWritten(bucket, upload)) > before) continue;
    if (dryRun || (await abort(bucket, upload))) swept += 1;
  }
  return swept;
}

async function* unfinishedUploads(bucket: Bucket): AsyncGenerator<MultipartUpload> {
  let marker: { KeyMarker?: string; UploadIdMarker?: string } | null = {};
  while (marker !== null) {
    const at: { KeyMarker?: string; UploadIdMarker?: string } = marker;
    const page = await bucket.request(
      () => bucket.client.send(new ListMultipartUploadsCommand({ Bucket: bucket.name, ...at })),
      { patienceMs: bucket.patience.readMs },
    );
    yield* page.Uploads ?? [];
    marker =
      page.IsTruncated && page.NextKeyMarker !== undefined && page.NextUploadIdMarker !== undefined
        ? { KeyMarker: page.NextKeyMarker, UploadIdMarker: page.NextUploadIdMarker }
        : null;
  }
}

/** When the youngest part came, in milliseconds since 1970; 0 without parts. */
async function lastWritten(bucket: Bucket, { Key, UploadId }: MultipartUpload): Promise<number> {
  let last = 0;
  let marker: string | undefined;
  do {
    const at: string | undefined = marker;
    const page = await orNull(() =>
      bucket.request(
        () =>
          bucket.client.send(
            new ListPartsCommand({
              Bucket: bucket.name,
              Key,
              UploadId,
              ...(at !== undefined && { PartNumberMarker: at }),
            }),
          ),
        { patienceMs: bucket.patience.readMs },
      ),
    );
    for (const { LastModified } of page?.Parts ?? []) last = Math.max(last, LastModified?.getTime() ?? 0);
    marker = page?.IsTruncated ? page.NextPartNumberMarker : undefined;
  } while (marker !== undefined);
  return last;
}

/** False when it was completed or aborted meanwhile. */
async function abort(bucket: Bucket, { Key, UploadId }: MultipartUpload): Promise<boolean> {
  const answer = await orNull(() =>
    bucket.request(
      () => bucket.client.send(new AbortMultipartUploadCommand({ Bucket: bucket.name, Key, UploadId })),
      { patienceMs: bucket.patience.readMs },
    ),
  );
  return answer !== null;
}

async function orNull<T>(work: () => Promise<T>): Promise<T | null> {
  try {
    return await work();
  } catch (error) {
    if (isStorageError(error) && error.details['reason'] === 'NoSuchUpload') return null;
    throw error;
  }
}
