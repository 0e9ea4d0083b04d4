import type { Readable } from 'node:stream';
import { GetObjectCommand, type GetObjectCommandOutput } from '@aws-sdk/client-s3';
import type { ObjectKey } from '../../../domain/keys.ts';
import type { GetOptions, ObjectInfo } from '../../../ports/object-store.ts';
import { answerBody, readableOf } from './answer-body.ts';
import { type Bucket, sending } from './bucket.ts';
import { describe, incomplete, wholeLength } from './describe.ts';
import { type Range, rangesInOrder } from './ranges.ts';

/** From here on, an object is read over several connections: one alone is as fast as S3 makes it, some 90 MB/s. */
const SPLIT_FROM_BYTES = 32 * 1024 ** 2;

/** Opens an object; a large one goes on in ranges that are read side by side and pinned to its etag. */
export async function get(
  bucket: Bucket,
  key: ObjectKey,
  options: GetOptions,
): Promise<{ info: ObjectInfo; body: Readable }> {
  const { signal } = options;
  const reading = { signal, patienceMs: bucket.patience.readMs };
  const answer = await bucket.request(() => ask(bucket, key, options), reading);
  const info = describe(key, answer, wholeLength(answer));
  const source = readableOf(answer.Body);
  const length = answer.ContentLength;
  if (length === undefined) throw incomplete('Content-Length');
  if (length < SPLIT_FROM_BYTES) return { info, body: answerBody(source, signal) };

  const start = options.range?.start ?? 0;
  const open = async (range: Range, stop: AbortSignal) => {
    const pinned = { range, ifMatch: info.etag, signal: stop };
    const part = await bucket.request(() => ask(bucket, key, pinned), { ...reading, signal: stop });
    return readableOf(part.Body);
  };
  return { info, body: rangesInOrder(source, { start, end: start + length - 1, signal }, open) };
}

function ask(bucket: Bucket, key: ObjectKey, options: GetOptions): Promise<GetObjectCommandOutput> {
  const { range, ifMatch, signal } = options;
  return bucket.bodies.send(
    new GetObjectCommand({
      Bucket: bucket.name,
      Key: key,
      ...(range !== undefined && { Range: `bytes=${range.start}-${range.end ?? ''}` }),
      ...(ifMatch !== undefined && { IfMatch: `"${ifMatch}"` }),
    }),
    sending(signal),
  );
}
