import type { HeadObjectCommandOutput } from '@aws-sdk/client-s3';
import { StorageError } from '../../../domain/errors.ts';
import type { ObjectKey } from '../../../domain/keys.ts';
import { type ObjectInfo, STORAGE_CLASSES, type StorageClass } from '../../../ports/object-store.ts';
import { decodeMetadata } from './metadata.ts';

/** What answers to GET and HEAD tell of an object. `bytes` is of the whole object, not of a range of it. */
export function describe(
  key: ObjectKey,
  answer: Pick<
    HeadObjectCommandOutput,
    'ETag' | 'ContentType' | 'CacheControl' | 'Metadata' | 'StorageClass' | 'LastModified'
  >,
  bytes: number,
): ObjectInfo {
  return {
    key,
    bytes,
    etag: etagOf(answer.ETag),
    contentType: answer.ContentType ?? 'application/octet-stream',
    cacheControl: answer.CacheControl ?? null,
    metadata: decodeMetadata(answer.Metadata),
    storageClass: storageClassOf(answer.StorageClass),
    modifiedAt: answer.LastModified ?? new Date(0),
  };
}

/** Without the quotes of the header field. Errors: STORAGE_UNAVAILABLE for an answer without one. */
export function etagOf(etag: string | undefined): string {
  const bare = etag?.replaceAll('"', '') ?? '';
  if (bare === '') throw incomplete('ETag');
  return bare;
}

/** S3 leaves STANDARD out. A class that this product never gives counts as it. */
export function storageClassOf(name: string | undefined): StorageClass {
  return STORAGE_CLASSES.find((known) => known === name) ?? 'STANDARD';
}

/** Bytes of the whole object, from an answer that may be a part of it. */
export function wholeLength(answer: {
  readonly ContentRange?: string | undefined;
  readonly ContentLength?: number | undefined;
}): number {
  const [, total] = /\/(\d+)$/.exec(answer.ContentRange ?? '') ?? [];
  const length = total === undefined ? answer.ContentLength : Number(total);
  if (length === undefined) throw incomplete('Content-Length');
  return length;
}

/** An answer without what its operation always tells: something between us and the store has cut it. */
export function incomplete(what: string): StorageError {
  return new StorageError('STORAGE_UNAVAILABLE', undefined, { details: { reason: `no ${what}` } });
}
