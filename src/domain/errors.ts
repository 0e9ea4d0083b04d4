/** Every code an error of this product can carry, with the title people read and whether trying again may help. */
export const ERROR_CODES = {
  INVALID_REQUEST: { title: 'The request is not valid', retryable: false },
  INVALID_IMAGE: { title: 'The photo cannot be read', retryable: false },
  INVALID_KEY: { title: 'The object key is not valid', retryable: false },
  UNAUTHENTICATED: { title: 'Sign in first', retryable: false },
  FORBIDDEN: { title: 'Not allowed', retryable: false },
  NOT_FOUND: { title: 'Not found', retryable: false },
  CONFLICT: { title: 'The request conflicts with the present state', retryable: false },
  IDEMPOTENCY_CONFLICT: { title: 'The idempotency key was used for another request', retryable: false },
  ALREADY_EXISTS: { title: 'The object exists already', retryable: false },
  ALREADY_DECIDED: { title: 'A decision has been made already', retryable: false },
  CLAIMED: { title: 'Somebody else is at it', retryable: false },
  CONTRADICTION: { title: 'The decision contradicts itself', retryable: false },
  ILLEGAL_TRANSITION: { title: 'The file cannot change to that state', retryable: false },
  OBJECT_ARCHIVED: { title: 'The object is archived', retryable: false },
  OBJECT_DAMAGED: { title: 'The stored file is damaged', retryable: false },
  LEGAL_HOLD: { title: 'The file is under legal hold', retryable: false },
  USAGE_NOT_CURRENT: { title: 'It is not known yet what was looked at lately', retryable: false },
  VERSION_CONFLICT: { title: 'It was changed by somebody else', retryable: false },
  FILE_TOO_LARGE: { title: 'The file is too large', retryable: false },
  UNSUPPORTED_TYPE: { title: 'This type of file is not accepted', retryable: false },
  RANGE_NOT_SATISFIABLE: { title: 'The requested range lies outside the object', retryable: false },
  TOO_MANY_PIXELS: { title: 'The photo has too many pixels', retryable: false },
  MALWARE_FOUND: { title: 'Malware was found in the file', retryable: false },
  CONTENT_REJECTED: { title: 'The photo breaks the content rules', retryable: false },
  BANNED_IMAGE: { title: 'This photo has been taken down before', retryable: false },
  UPLOAD_MISMATCH: { title: 'The bytes are not those that were announced', retryable: false },
  UPLOAD_INCOMPLETE: { title: 'The upload has not arrived', retryable: false },
  RATE_LIMITED: { title: 'Too many requests', retryable: true },
  QUOTA_EXCEEDED: { title: 'The quota is used up', retryable: false },
  BUSY: { title: 'The service is busy', retryable: true },
  STORAGE_FULL: { title: 'The storage is full', retryable: false },
  STORAGE_UNAVAILABLE: { title: 'The object store does not answer', retryable: true },
  CDN_UNAVAILABLE: { title: 'The CDN does not answer', retryable: true },
  SCANNER_UNAVAILABLE: { title: 'The virus scanner does not answer', retryable: true },
  MODERATOR_UNAVAILABLE: { title: 'The moderator does not answer', retryable: true },
  SEARCH_UNAVAILABLE: { title: 'The search does not answer', retryable: true },
  KEYS_UNAVAILABLE: { title: 'The key vault does not answer', retryable: true },
  DATABASE_UNAVAILABLE: { title: 'The database does not answer', retryable: true },
  QUEUE_UNAVAILABLE: { title: 'The job queue does not answer', retryable: true },
  IMAGE_PROCESS_FAILED: { title: 'The image process ended', retryable: true },
  PROCESSING_FAILED: { title: 'The photo could not be processed', retryable: false },
  DEADLINE_EXCEEDED: { title: 'It took too long', retryable: false },
  UPLOAD_EXPIRED: { title: 'The upload was not finished in time', retryable: false },
  ABORTED: { title: 'The work was cancelled', retryable: false },
  UNSUPPORTED: { title: 'This adapter cannot do that', retryable: false },
  INVALID_CONFIGURATION: { title: 'The configuration is not valid', retryable: false },
  DATA_DIR_IN_USE: { title: 'Another process uses the data folder', retryable: false },
  INTERNAL: { title: 'Something went wrong on our side', retryable: false },
} as const satisfies Record<string, { title: string; retryable: boolean }>;

export type ErrorCode = keyof typeof ERROR_CODES;

export interface StorageErrorOptions {
  /** For logs only: never sent to a client. */
  readonly details?: Readonly<Record<string, unknown>>;
  /** When trying again is worth it, in seconds (RATE_LIMITED, BUSY …). */
  readonly retryAfter?: number;
  readonly cause?: unknown;
}

/**
 * The one family of errors. `message` is public: it is written for the person who caused the request
 * and names no internals. `details` and `cause` are private.
 */
export class StorageError extends Error {
  override readonly name = 'StorageError';
  readonly code: ErrorCode;
  readonly details: Readonly<Record<string, unknown>>;
  readonly retryAfter: number | undefined;

  constructor(code: ErrorCode, message?: string, options: StorageErrorOptions = {}) {
    super(
      message ?? `${ERROR_CODES[code].title}.`,
      options.cause === undefined ? {} : { cause: options.cause },
    );
    this.code = code;
    this.details = options.details ?? {};
    this.retryAfter = options.retryAfter;
  }

  /** Whether the same call may succeed later without a change by the caller. */
  get retryable(): boolean {
    return ERROR_CODES[this.code].retryable;
  }
}

export function isErrorCode(value: string): value is ErrorCode {
  return Object.hasOwn(ERROR_CODES, value);
}

/** True for a StorageError, of that code when one is given. */
export function isStorageError(error: unknown, code?: ErrorCode): error is StorageError {
  return error instanceof StorageError && (code === undefined || error.code === code);
}
