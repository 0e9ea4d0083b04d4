import type { Readable } from 'node:stream';
import { GetObjectCommand, ListObjectVersionsCommand } from '@aws-sdk/client-s3';
import { isStorageError } from '../../../domain/errors.ts';
import type { ObjectKey } from '../../../domain/keys.ts';
import { answerBody, readableOf } from './answer-body.ts';
import { type Bucket, sending } from './bucket.ts';

/** Older ones are not looked for. */
const MOST_VERSIONS = 20;

/**
 * What lay under a key before: versions that were overwritten, or that a delete marker hides, the newest first. One that
 * cannot be read (archived, or gone by now) is passed over.
 */
export async function* previous(
  bucket: Bucket,
  key: ObjectKey,
  signal?: AbortSignal,
): AsyncGenerator<Readable> {
  const { Versions = [] } = await bucket.request(
    () =>
      bucket.client.send(
        // The key itself comes before all keys that begin with it.
        new ListObjectVersionsCommand({ Bucket: bucket.name, Prefix: key, MaxKeys: 2 * MOST_VERSIONS }),
        sending(signal),
      ),
    { signal, patienceMs: bucket.patience.readMs },
  );
  const ids = Versions.filter((version) => version.Key === key && version.IsLatest !== true)
    .toSorted((one, other) => (other.LastModified?.getTime() ?? 0) - (one.LastModified?.getTime() ?? 0))
    .flatMap(({ VersionId }) => (VersionId === undefined ? [] : [VersionId]));
  for (const id of ids.slice(0, MOST_VERSIONS)) {
    const body = await open(bucket, key, id, signal);
    if (body !== null) yield body;
  }
}

async function open(
  bucket: Bucket,
  key: ObjectKey,
  id: string,
  signal: AbortSignal | undefined,
): Promise<Readable | null> {
  try {
    const { Body } = await bucket.request(
      () =>
        bucket.bodies.send(
          new GetObjectCommand({ Bucket: bucket.name, Key: key, VersionId: id }),
          sending(signal),
        ),
      { signal, patienceMs: bucket.patience.readMs },
    );
    return answerBody(readableOf(Body), signal);
  } catch (error) {
    if (isStorageError(error, 'NOT_FOUND') || isStorageError(error, 'OBJECT_ARCHIVED')) return null;
    throw error;
  }
}
