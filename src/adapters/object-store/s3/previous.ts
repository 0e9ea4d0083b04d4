import type { Readable } from 'node:stream';
import { GetObjectCommand } from '@aws-sdk/client-s3';
import { isStorageError, StorageError } from '../../../domain/errors.ts';
import type { ObjectKey } from '../../../domain/keys.ts';
import { answerBody, readableOf } from './answer-body.ts';
import { type Bucket, sending } from './bucket.ts';
import { versionsOf } from './versions.ts';

/**
 * What lay under a key before: versions that were overwritten, or that a delete marker hides, the newest first, as long as
 * the caller goes on. One that is gone by now is passed over. Archived ones are too, until all others were given: then
 * OBJECT_ARCHIVED says that there was more than could be read.
 */
export async function* previous(
  bucket: Bucket,
  key: ObjectKey,
  signal?: AbortSignal,
): AsyncGenerator<Readable> {
  let archived = 0;
  for await (const page of versionsOf(bucket, key, signal))
    for (const { id } of page.filter(({ isLatest, isMarker }) => !isLatest && !isMarker)) {
      const body = await open(bucket, key, id, signal);
      if (body === 'archived') archived += 1;
      else if (body !== 'gone') yield body;
    }
  if (archived > 0) throw new StorageError('OBJECT_ARCHIVED', undefined, { details: { key, archived } });
}

async function open(
  bucket: Bucket,
  key: ObjectKey,
  id: string,
  signal: AbortSignal | undefined,
): Promise<Readable | 'archived' | 'gone'> {
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
    if (isStorageError(error, 'NOT_FOUND')) return 'gone';
    if (isStorageError(error, 'OBJECT_ARCHIVED')) return 'archived';
    throw error;
  }
}
