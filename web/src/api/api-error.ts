import { ERROR_CODES, type ErrorCode, isErrorCode } from '../../../src/domain/errors.ts';

/** A refusal of the service, or of the network on the way there. */
export type ApiCode = ErrorCode | 'OFFLINE';

export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly code: ApiCode;
  /** 0 when no answer came. */
  readonly status: number;
  /** Seconds the service asked to wait, or null. */
  readonly retryAfter: number | null;

  constructor(code: ApiCode, message: string, status = 0, retryAfter: number | null = null) {
    super(message);
    this.code = code;
    this.status = status;
    this.retryAfter = retryAfter;
  }

  /** Whether the same request may succeed later without a change. */
  get retryable(): boolean {
    return this.code === 'OFFLINE' || this.status === 423 || ERROR_CODES[this.code].retryable;
  }
}

/** The code of an answer: the one it names, else the nearest to its status. */
export function codeOf(name: string | undefined, status: number): ErrorCode {
  if (name !== undefined && isErrorCode(name)) return name;
  return BY_STATUS[status] ?? (status >= 500 ? 'INTERNAL' : 'INVALID_REQUEST');
}

const BY_STATUS: Readonly<Record<number, ErrorCode>> = {
  401: 'UNAUTHENTICATED',
  403: 'FORBIDDEN',
  404: 'NOT_FOUND',
  409: 'CONFLICT',
  412: 'VERSION_CONFLICT',
  413: 'FILE_TOO_LARGE',
  415: 'UNSUPPORTED_TYPE',
  429: 'RATE_LIMITED',
  502: 'BUSY',
  503: 'BUSY',
  504: 'BUSY',
  507: 'STORAGE_FULL',
};

/** `Retry-After` in seconds: a number, or a date. Null when it is missing or in the past. */
export function readRetryAfter(header: string | null, now = Date.now()): number | null {
  if (header === null) return null;
  const seconds = /^\d+$/.test(header.trim()) ? Number(header) : (Date.parse(header) - now) / 1000;
  return Number.isFinite(seconds) && seconds >= 0 ? Math.ceil(seconds) : null;
}

/** What went wrong as an ApiError, whatever was thrown. */
export function asApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  return new ApiError('INTERNAL', 'Something went wrong in this page. Load it again.');
}
