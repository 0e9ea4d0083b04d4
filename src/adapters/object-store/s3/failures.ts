import { type ErrorCode, StorageError } from '../../../domain/errors.ts';

/** What came of one request, and whether another of the same kind may succeed within seconds. */
export interface Failure {
  /** A StorageError; what is none of S3's doing (a source that broke, a bug of ours) passes as it is. */
  readonly error: unknown;
  readonly again: boolean;
  /** The server asked for fewer requests. */
  readonly throttled: boolean;
}

/** How a code of S3's error table is answered. */
interface Meaning {
  readonly code: ErrorCode;
  readonly again?: true;
  readonly throttled?: true;
}

const GONE: Meaning = { code: 'NOT_FOUND' };
const DENIED: Meaning = { code: 'STORAGE_UNAVAILABLE' };
const BROKEN: Meaning = { code: 'STORAGE_UNAVAILABLE', again: true };
const THROTTLED: Meaning = { code: 'STORAGE_UNAVAILABLE', again: true, throttled: true };
const FULL: Meaning = { code: 'STORAGE_FULL' };
const OURS: Meaning = { code: 'INTERNAL' };

/**
 * S3's error codes, once for all adapters of its protocol.
 * Source: Amazon S3 API Reference, "Error responses", "List of error codes", 2025; Ceph's own from rgw_common.cc.
 * What an operator must mend (credentials, policy, a bucket that went away) is STORAGE_UNAVAILABLE: jobs come again
 * when it is mended. It is not asked again within the call.
 */
export const MEANINGS: Readonly<Record<string, Meaning>> = {
  NoSuchKey: GONE,
  NoSuchVersion: GONE,
  NotFound: GONE,
  PreconditionFailed: { code: 'VERSION_CONFLICT' },
  InvalidRange: { code: 'RANGE_NOT_SATISFIABLE' },
  InvalidObjectState: { code: 'OBJECT_ARCHIVED' },
  ObjectAlreadyInActiveTierError: { code: 'CONFLICT' },
  RestoreAlreadyInProgress: { code: 'CONFLICT' },
  EntityTooLarge: { code: 'FILE_TOO_LARGE' },
  KeyTooLongError: { code: 'INVALID_KEY' },
  InvalidObjectName: { code: 'INVALID_KEY' },
  MetadataTooLarge: { code: 'INVALID_REQUEST' },
  InvalidTag: { code: 'INVALID_REQUEST' },
  BadRequest: { code: 'INVALID_REQUEST' },
  NotImplemented: { code: 'UNSUPPORTED' },

  SlowDown: THROTTLED,
  ServiceUnavailable: THROTTLED,
  Throttling: THROTTLED,
  ThrottlingException: THROTTLED,
  RequestLimitExceeded: THROTTLED,
  RequestThrottled: THROTTLED,
  TooManyRequestsException: THROTTLED,
  BandwidthLimitExceeded: THROTTLED,
  'KMS.ThrottlingException': THROTTLED,

  InternalError: BROKEN,
  // A lost part of a body, told by the server: the client's next try sends it whole.
  RequestTimeout: BROKEN,
  IncompleteBody: BROKEN,
  BadDigest: BROKEN,
  XAmzContentSHA256Mismatch: BROKEN,
  XAmzContentChecksumMismatch: BROKEN,
  // Two conditional writes of one key met: "the client should fetch the object's ETag and retry".
  ConditionalRequestConflict: BROKEN,
  OperationAborted: BROKEN,
  ConcurrentModification: BROKEN,
  // The SDK has read the server's clock from this answer and signs the next request by it.
  RequestTimeTooSkewed: BROKEN,
  // The chain of credentials is asked again for the next request.
  ExpiredToken: BROKEN,
  TokenRefreshRequired: BROKEN,

  NoSuchBucket: DENIED,
  NoSuchUpload: DENIED,
  AccessDenied: DENIED,
  AllAccessDisabled: DENIED,
  AccountProblem: DENIED,
  InvalidAccessKeyId: DENIED,
  InvalidToken: DENIED,
  SignatureDoesNotMatch: DENIED,
  PermanentRedirect: DENIED,
  TemporaryRedirect: DENIED,
  AuthorizationHeaderMalformed: DENIED,
  IllegalLocationConstraintException: DENIED,
  CredentialsProviderError: DENIED,
  TokenProviderError: DENIED,
  'KMS.DisabledException': DENIED,
  'KMS.NotFoundException': DENIED,
  'KMS.InvalidStateException': DENIED,
  'KMS.InvalidKeyUsageException': DENIED,

  QuotaExceeded: FULL,
  InsufficientStorage: FULL,
  InsufficientCapacity: FULL,
  XMinioStorageFull: FULL,

  InvalidArgument: OURS,
  InvalidRequest: OURS,
  InvalidPart: OURS,
  InvalidPartOrder: OURS,
  EntityTooSmall: OURS,
  MalformedXML: OURS,
};

/** Answers without a code that is known, a HEAD's among them, by their status. */
function byStatus(status: number): Meaning {
  if (status === 404) return GONE;
  if (status === 409) return { code: 'CONFLICT' };
  if (status === 412) return { code: 'VERSION_CONFLICT' };
  if (status === 416) return { code: 'RANGE_NOT_SATISFIABLE' };
  if (status === 501) return { code: 'UNSUPPORTED' };
  if (status === 507) return FULL;
  if (status === 429 || status === 503) return THROTTLED;
  if (status === 408 || status >= 500) return BROKEN;
  return status === 401 || status === 403 || (status >= 300 && status < 400) ? DENIED : OURS;
}

/** What Node and the SDK call a connection that could not be made, broke, or gave nothing in time. */
const BROKEN_CONNECTION: ReadonlySet<string> = new Set([
  'ECONNRESET',
  'ECONNREFUSED',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ERR_STREAM_PREMATURE_CLOSE',
  'HPE_INVALID_CONSTANT',
  'HPE_INVALID_CONTENT_LENGTH',
  'HPE_INVALID_EOF_STATE',
  'TimeoutError',
  'StallError',
]);

/**
 * Classifies what the SDK throws, once. StorageErrors pass; a cancelled call is ABORTED.
 *
 * @param unmet what a failed precondition means: ALREADY_EXISTS for `If-None-Match: *`
 */
export function classify(
  error: unknown,
  signal?: AbortSignal,
  unmet: 'VERSION_CONFLICT' | 'ALREADY_EXISTS' = 'VERSION_CONFLICT',
): Failure {
  if (signal?.aborted) return final(aborted(signal));
  if (error instanceof StorageError)
    return { error, again: error.code === 'STORAGE_UNAVAILABLE', throttled: false };
  if (!(error instanceof Error)) return final(error);
  const { reason, status, retryAfter } = facts(error);
  const meaning = meaningOf(error, reason, status);
  if (meaning === null) return final(error);
  const code = meaning.code === 'VERSION_CONFLICT' ? unmet : meaning.code;
  return {
    error: new StorageError(code, undefined, {
      cause: error,
      details: { reason, ...(status !== undefined && { status }) },
      ...(retryAfter !== undefined && { retryAfter }),
    }),
    again: meaning.again ?? false,
    throttled: meaning.throttled ?? false,
  };
}

/** S3's own word for why a call failed, as {@link classify} has kept it; null for any other error. */
export function reasonOf(error: unknown): string | null {
  const reason = error instanceof StorageError ? error.details['reason'] : null;
  return typeof reason === 'string' ? reason : null;
}

export function aborted(signal: AbortSignal): StorageError {
  return new StorageError('ABORTED', undefined, { cause: signal.reason });
}

export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw aborted(signal);
}

function final(error: unknown): Failure {
  return { error, again: false, throttled: false };
}

interface Facts {
  readonly reason: string;
  readonly status: number | undefined;
  /** Seconds. */
  readonly retryAfter: number | undefined;
}

function meaningOf(error: Error, reason: string, status: number | undefined): Meaning | null {
  if (Object.hasOwn(MEANINGS, reason)) return MEANINGS[reason] ?? null;
  if (BROKEN_CONNECTION.has(reason) || error.message === 'aborted') return BROKEN;
  // A 200 that is not what its operation answers is an answer that was cut.
  if (status !== undefined) return status < 300 ? BROKEN : byStatus(status);
  return isUnreadable(error) ? BROKEN : null;
}

/** The SDK could not parse an answer: it hangs the answer on the error. */
function isUnreadable(error: Error): boolean {
  return '$responseBodyText' in error || '$response' in error;
}

function facts(error: Error): Facts {
  const status = '$metadata' in error ? statusOf(error.$metadata) : undefined;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : null;
  const wait = Number(header(error, 'retry-after'));
  return {
    reason: error.name === 'Error' || error.name === 'TypeError' ? (code ?? error.name) : error.name,
    status,
    retryAfter: Number.isFinite(wait) && wait > 0 ? wait : undefined,
  };
}

function statusOf(metadata: unknown): number | undefined {
  if (typeof metadata !== 'object' || metadata === null || !('httpStatusCode' in metadata)) return undefined;
  return typeof metadata.httpStatusCode === 'number' ? metadata.httpStatusCode : undefined;
}

/** A header of the answer that an error of the SDK carries. */
export function header(error: unknown, name: string): string | undefined {
  if (!(error instanceof Error) || !('$response' in error)) return undefined;
  const response = error.$response;
  if (typeof response !== 'object' || response === null || !('headers' in response)) return undefined;
  const headers = response.headers;
  if (typeof headers !== 'object' || headers === null) return undefined;
  const value: unknown = Reflect.get(headers, name);
  return typeof value === 'string' ? value : undefined;
}
