import { z } from 'zod';

/** What a message says: the keys that arrived in our bucket (none: it speaks of something else), or that it is not to be read. */
export type Reading = { readonly keys: readonly string[] } | 'unreadable';

/**
 * Reads what S3 sends, in either of its shapes:
 * - by EventBridge, "Object Created" with the key as it is (Amazon S3 User Guide, "EventBridge event message structure",
 *   2025);
 * - by itself, `Records[].s3` with the key URL-encoded, a space as "+" ("Event message structure", version 2.x). Its test
 *   message speaks of no object.
 */
export function readMessage(body: string, bucket: string): Reading {
  const parsed = message.safeParse(parseJson(body));
  if (!parsed.success) return 'unreadable';
  const found = parsed.data;
  if ('detail' in found) {
    const isOurs = found['detail-type'] === 'Object Created' && found.detail.bucket.name === bucket;
    return { keys: isOurs ? [found.detail.object.key] : [] };
  }
  if ('Event' in found) return { keys: [] };
  const created = found.Records.filter(
    ({ eventName, s3 }) => eventName.startsWith('ObjectCreated:') && s3.bucket.name === bucket,
  );
  const keys = created.map(({ s3 }) => decodeKey(s3.object.key));
  return keys.includes(null) ? 'unreadable' : { keys: keys.filter((key) => key !== null) };
}

const s3Bucket = z.object({ name: z.string() });
const s3Object = z.object({ key: z.string() });

const message = z.union([
  z.object({
    source: z.literal('aws.s3'),
    'detail-type': z.string(),
    detail: z.object({ bucket: s3Bucket, object: s3Object }),
  }),
  z.object({
    Records: z.array(
      z.object({
        eventSource: z.string(),
        eventName: z.string(),
        s3: z.object({ bucket: s3Bucket, object: s3Object }),
      }),
    ),
  }),
  z.object({ Service: z.string(), Event: z.literal('s3:TestEvent') }),
]);

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function decodeKey(encoded: string): string | null {
  try {
    return decodeURIComponent(encoded.replaceAll('+', ' '));
  } catch {
    return null;
  }
}
