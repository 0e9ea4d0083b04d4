import { isStorageError, StorageError } from '../../../domain/errors.ts';
import type { Bucket } from './bucket.ts';
import { header, reasonOf } from './failures.ts';

/** By which variables the operator has named what is checked. */
export interface Variables {
  readonly bucket: string;
  readonly region: string;
  readonly endpoint: string;
}

/** What was tried, in words that follow "may not". */
export interface Attempted {
  readonly what: string;
  readonly prefix?: string;
  readonly permission: string;
}

/** Turns a failure of the check at the start into one sentence for the operator. */
export function refusal(error: unknown, attempted: Attempted, bucket: Bucket, variables: Variables): unknown {
  if (!isStorageError(error)) return error;
  const reason = reasonOf(error) ?? '';
  const sentence = sentenceFor(error, reason, attempted, bucket, variables);
  const code = sentence === null ? 'STORAGE_UNAVAILABLE' : 'INVALID_CONFIGURATION';
  const message = sentence ?? `${where(bucket, variables)} does not answer (${reason}).`;
  return new StorageError(code, message, { cause: error, details: { reason, bucket: bucket.name } });
}

function sentenceFor(
  error: StorageError,
  reason: string,
  { what, prefix, permission }: Attempted,
  bucket: Bucket,
  variables: Variables,
): string | null {
  const name = `"${bucket.name}"`;
  const region = otherRegion(error, bucket);
  if (region !== null)
    return `${variables.region} is "${bucket.region}", but the bucket ${name} is in "${region}": set ${variables.region} to that, or name a bucket of this region in ${variables.bucket}.`;
  if (reason === 'NoSuchBucket' || error.code === 'NOT_FOUND')
    return `${variables.bucket} names ${name}, which is not there (${where(bucket, variables)}): create it, or name another.`;
  if (reason === 'ExpiredToken' || reason === 'TokenRefreshRequired')
    return 'The credentials for the bucket have expired: renew AWS_SESSION_TOKEN and the keys that came with it, or sign in again.';
  if (UNKNOWN_CREDENTIALS.has(reason))
    return `The store does not know the credentials (${reason}): check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_PROFILE or the role of this machine.`;
  if (reason === 'RequestTimeTooSkewed')
    return 'The clock of this machine is more than 15 minutes off, so that no request is accepted: set it, by NTP for instance.';
  if (reason.startsWith('KMS.'))
    return `S3_SSE_KMS_KEY_ID names a key that cannot be used (${reason}): enable it, or name another.`;
  if (error.code === 'UNSUPPORTED')
    return `${variables.endpoint}: this server cannot ${what} ${prefix ?? name} (${reason}); use one that can.`;
  if (reason === 'AccessDenied' || reason === 'AllAccessDisabled' || isForbidden(error))
    return prefix === undefined
      ? `The credentials may not ${what} the bucket ${name} of ${variables.bucket}: allow ${permission} to them.`
      : `The credentials may not ${what} below "${prefix}" in the bucket ${name} of ${variables.bucket}: allow ${permission} on arn:aws:s3:::${bucket.name}/${prefix}* to them.`;
  return error.retryable && !isAnswer(error)
    ? null
    : `The bucket ${name} of ${variables.bucket} cannot be used (${reason}): see the log for the answer of the store.`;
}

const UNKNOWN_CREDENTIALS: ReadonlySet<string> = new Set([
  'InvalidAccessKeyId',
  'SignatureDoesNotMatch',
  'InvalidToken',
  'CredentialsProviderError',
  'TokenProviderError',
]);

/** The region that S3 names when a request went to another one; null when this is no such answer. */
function otherRegion({ cause }: StorageError, bucket: Bucket): string | null {
  const named = header(cause, 'x-amz-bucket-region') ?? fieldOf(cause, 'Region');
  return named !== undefined && named !== '' && named !== bucket.region ? named : null;
}

function fieldOf(error: unknown, name: string): string | undefined {
  const value: unknown = error instanceof Error ? Reflect.get(error, name) : undefined;
  return typeof value === 'string' ? value : undefined;
}

const isForbidden = ({ details }: StorageError) => details['status'] === 403 || details['status'] === 401;

/** Whether a server has answered, and not only a connection failed. 5xx may pass by itself. */
function isAnswer({ details }: StorageError): boolean {
  return typeof details['status'] === 'number' && details['status'] < 500;
}

function where(bucket: Bucket, variables: Variables): string {
  return bucket.endpoint === null
    ? `Amazon S3 in ${bucket.region}`
    : `${bucket.endpoint} of ${variables.endpoint}`;
}
