import { GetObjectTaggingCommand, PutObjectTaggingCommand } from '@aws-sdk/client-s3';
import type { ObjectKey } from '../../../domain/keys.ts';
import type { ObjectTags } from '../../../ports/object-store.ts';
import { type Bucket, sending } from './bucket.ts';

/** Tags as the header field `x-amz-tagging` has them: a query string. */
export function tagging(tags: ObjectTags): string {
  return Object.entries(tags)
    .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`)
    .join('&');
}

export async function getTags(bucket: Bucket, key: ObjectKey, signal?: AbortSignal): Promise<ObjectTags> {
  const { TagSet = [] } = await bucket.request(
    () => bucket.client.send(new GetObjectTaggingCommand({ Bucket: bucket.name, Key: key }), sending(signal)),
    { signal, patienceMs: bucket.patience.readMs },
  );
  return Object.fromEntries(TagSet.map(({ Key = '', Value = '' }) => [Key, Value]));
}

export async function setTags(
  bucket: Bucket,
  key: ObjectKey,
  tags: ObjectTags,
  signal?: AbortSignal,
): Promise<void> {
  const TagSet = Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
  await bucket.request(
    () =>
      bucket.client.send(
        new PutObjectTaggingCommand({ Bucket: bucket.name, Key: key, Tagging: { TagSet } }),
        sending(signal),
      ),
    { signal, patienceMs: bucket.patience.readMs },
  );
}
