import { ListObjectsV2Command } from '@aws-sdk/client-s3';
import { isObjectKey } from '../../../domain/keys.ts';
import type { ListedObject, ListPage } from '../../../ports/object-store.ts';
import { type Bucket, sending } from './bucket.ts';
import { etagOf, incomplete, storageClassOf } from './describe.ts';

/** One page. Objects whose keys this product would not make are left out; they were put there by others. */
export async function list(
  bucket: Bucket,
  prefix: string,
  { after, limit, signal }: { after?: string; limit: number; signal?: AbortSignal },
): Promise<ListPage> {
  const { Contents = [], IsTruncated } = await bucket.request(
    () =>
      bucket.client.send(
        new ListObjectsV2Command({
          Bucket: bucket.name,
          Prefix: prefix,
          MaxKeys: limit,
          // XML cannot carry every character of a key.
          EncodingType: 'url',
          ...(after && { StartAfter: after }),
        }),
        sending(signal),
      ),
    { signal, patienceMs: bucket.patience.readMs },
  );
  const found = Contents.map((object) => ({ ...object, key: decoded(object.Key ?? '') }));
  const objects = found.flatMap(({ key, Size, ETag, StorageClass, LastModified }): ListedObject[] => {
    if (!isObjectKey(key)) return [];
    if (Size === undefined || LastModified === undefined) throw incomplete('size or age of an object');
    const storageClass = storageClassOf(StorageClass);
    return [{ key, bytes: Size, etag: etagOf(ETag), storageClass, modifiedAt: LastModified }];
  });
  return { objects, next: IsTruncated ? (found.at(-1)?.key ?? null) : null };
}

/** `application/x-www-form-urlencoded`, as S3 writes it: a space is "+". */
function decoded(key: string): string {
  return decodeURIComponent(key.replaceAll('+', '%20'));
}
