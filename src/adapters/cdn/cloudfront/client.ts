import { CloudFrontClient, CloudFrontServiceException } from '@aws-sdk/client-cloudfront';
import { isStorageError, StorageError } from '#src/domain/errors.ts';

export interface CloudfrontConnection {
  /** Another server than Amazon's for the same API. */
  readonly endpoint: string | null;
  /** Absent: the SDK finds them by its default chain. */
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

const CONNECT_MS = 3_000;
const ANSWER_MS = 10_000;

/** `attempts` of one call: 1 where whoever calls tries again by itself. */
export function createClient(connection: CloudfrontConnection, attempts: number): CloudFrontClient {
  return new CloudFrontClient({
    // CloudFront is global and signed for this region ("Amazon CloudFront endpoints and quotas", AWS General Reference).
    region: 'us-east-1',
    ...(connection.endpoint !== null && { endpoint: connection.endpoint }),
    ...(connection.credentials !== undefined && { credentials: connection.credentials }),
    maxAttempts: attempts,
    requestHandler: { connectionTimeout: CONNECT_MS, requestTimeout: ANSWER_MS },
  });
}

/**
 * What a failed call means: `full` too much is in progress, `later` it may pass by itself, `refused` these arguments will
 * never do, `taken` the caller reference was used for other paths, `conflict` somebody changed the thing meanwhile,
 * `misconfigured` we may not, or there is no such distribution.
 */
export type Failure = 'full' | 'later' | 'refused' | 'taken' | 'conflict' | 'misconfigured';

const FAILURES: Readonly<Record<string, Failure>> = {
  TooManyInvalidationsInProgress: 'full',
  InvalidationBatchAlreadyExists: 'taken',
  InvalidArgument: 'refused',
  BatchTooLarge: 'refused',
  InconsistentQuantities: 'refused',
  PreconditionFailed: 'conflict',
  InvalidIfMatchVersion: 'conflict',
  AccessDenied: 'misconfigured',
  NoSuchDistribution: 'misconfigured',
  CredentialsProviderError: 'misconfigured',
  InvalidClientTokenId: 'misconfigured',
  SignatureDoesNotMatch: 'misconfigured',
};

/**
 * Classifies an error of the SDK. A caller reference that was used for other paths is InvalidationBatchAlreadyExists by
 * the API reference, and InvalidArgument with "caller reference" in practice (aws/aws-cdk issue 3878).
 */
export function failureOf(error: unknown): Failure {
  if (!(error instanceof Error)) return 'later';
  const failure = FAILURES[error.name] ?? 'later';
  return failure === 'refused' && /caller reference/i.test(error.message) ? 'taken' : failure;
}

/** The error of a call that nobody tries again, as one of ours. */
export function toStorageError(error: unknown): StorageError {
  if (isStorageError(error)) return error;
  const options = { cause: error, details: { reason: reasonOf(error) } };
  switch (failureOf(error)) {
    case 'misconfigured':
      return new StorageError('INVALID_CONFIGURATION', 'CloudFront does not let us do that.', options);
    case 'conflict':
      return new StorageError('VERSION_CONFLICT', 'The distribution was changed by somebody else.', options);
    case 'refused':
    case 'taken':
      return new StorageError('INVALID_REQUEST', 'CloudFront does not take these settings.', options);
    case 'full':
    case 'later':
      return new StorageError('CDN_UNAVAILABLE', undefined, options);
  }
}

/** For logs and records: the error's name and words, without what the SDK carries along. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  const status =
    error instanceof CloudFrontServiceException ? ` (${error.$metadata.httpStatusCode ?? ''})` : '';
  return `${error.name}${status}: ${error.message}`.slice(0, 500);
}
