import { createHmac, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import { StorageError } from '../../../domain/errors.ts';
import { isObjectKey, type ObjectKey } from '../../../domain/keys.ts';
import type { Clock } from '../../../ports/clock.ts';
import type { PresignedPost } from '../../../ports/object-store.ts';

export interface Signer {
  /** At least 32 bytes, known to every process that signs or verifies. */
  readonly signingKey: Uint8Array;
  readonly clock: Clock;
}

/** What a signed form allows: exactly this key and type, 1 to `maxBytes` bytes, until `expiresAt`. */
export interface UploadPolicy {
  readonly key: ObjectKey;
  readonly contentType: string;
  readonly maxBytes: number;
  readonly expiresAt: Date;
}

/** `${publicUrl}/store/{key}?expires={Unix seconds}&signature={HMAC-SHA256, base64url}` */
export function signGetUrl(
  key: ObjectKey,
  expiresInSeconds: number,
  { publicUrl, ...signer }: Signer & { publicUrl: string },
): string {
  const expires = String(expiry(signer.clock, expiresInSeconds));
  const path = key.split('/').map(encodeURIComponent).join('/');
  return `${publicUrl}/store/${path}?expires=${expires}&signature=${sign(getText(key, expires), signer)}`;
}

/** The key that a signed URL opens. `key` is the decoded rest of the path. Errors: FORBIDDEN. */
export function verifyGetUrl(
  request: { key: string; expires: string; signature: string },
  signer: Signer,
): ObjectKey {
  const { key, expires, signature } = request;
  if (!isObjectKey(key) || !/^\d{1,12}$/.test(expires)) throw forbidden('The link is not valid.');
  if (!matches(getText(key, expires), signature, signer)) throw forbidden('The link is not valid.');
  if (hasPassed(Number(expires), signer.clock)) throw forbidden('The link has expired.');
  return key;
}

/** A form for `${publicUrl}/v1/uploads/form`; the file is its last field. */
export function signPostForm(
  key: ObjectKey,
  policy: { contentType: string; maxBytes: number; expiresInSeconds: number },
  { publicUrl, ...signer }: Signer & { publicUrl: string },
): PresignedPost {
  const { contentType, maxBytes, expiresInSeconds } = policy;
  const expires = expiry(signer.clock, expiresInSeconds);
  const encoded = Buffer.from(JSON.stringify({ key, contentType, maxBytes, expires })).toString('base64url');
  const fields = {
    key,
    'Content-Type': contentType,
    policy: encoded,
    signature: sign(postText(encoded), signer),
  };
  return { url: `${publicUrl}/v1/uploads/form`, fields };
}

/** The policy of a posted form. `key` and `Content-Type`, when sent, must be the policy's own. Errors: FORBIDDEN. */
export function verifyPostForm(fields: Readonly<Record<string, string>>, signer: Signer): UploadPolicy {
  const { policy: encoded = '', signature = '', key } = fields;
  if (!matches(postText(encoded), signature, signer)) throw forbidden('The upload form is not valid.');
  const policy = policySchema.parse(JSON.parse(Buffer.from(encoded, 'base64url').toString()));
  if (hasPassed(policy.expires, signer.clock)) throw forbidden('The upload form has expired.');
  if (
    (key ?? policy.key) !== policy.key ||
    (fields['Content-Type'] ?? policy.contentType) !== policy.contentType
  )
    throw forbidden('The upload form is not valid.');
  return { ...policy, expiresAt: new Date(policy.expires * 1000) };
}

const policySchema = z.object({
  key: z.custom<ObjectKey>((value) => typeof value === 'string' && isObjectKey(value)),
  contentType: z.string(),
  maxBytes: z.int().positive(),
  /** Unix seconds. */
  expires: z.int(),
});

/** The first word keeps a signature of one kind from being used as the other. */
const getText = (key: ObjectKey, expires: string) => `get\n${key}\n${expires}`;
const postText = (policy: string) => `post\n${policy}`;

function sign(text: string, signer: Signer): string {
  return createHmac('sha256', signer.signingKey).update(text).digest('base64url');
}

function matches(text: string, signature: string, signer: Signer): boolean {
  const expected = Buffer.from(sign(text, signer));
  const given = Buffer.from(signature);
  return given.length === expected.length && timingSafeEqual(given, expected);
}

function expiry(clock: Clock, seconds: number): number {
  return Math.floor(clock.now().getTime() / 1000) + seconds;
}

function hasPassed(unixSeconds: number, clock: Clock): boolean {
  return clock.now().getTime() >= unixSeconds * 1000;
}

function forbidden(message: string): StorageError {
  return new StorageError('FORBIDDEN', message);
}
