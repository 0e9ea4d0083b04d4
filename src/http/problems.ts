import { STATUS_CODES } from 'node:http';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { hasZodFastifySchemaValidationErrors } from 'fastify-type-provider-zod';
import { ERROR_CODES, type ErrorCode, isStorageError, StorageError } from '#src/domain/errors.ts';
import { PROBLEM_TYPE, type Problem, problemDocument } from '#src/domain/problem.ts';

/** The one place that knows statuses. `test/unit/http/problems.test.ts` holds it to the list of codes. */
export const STATUS: Readonly<Record<ErrorCode, number>> = {
  INVALID_REQUEST: 400,
  INVALID_IMAGE: 400,
  INVALID_KEY: 400,
  UNAUTHENTICATED: 401,
  FORBIDDEN: 403,
  NOT_FOUND: 404,
  CONFLICT: 409,
  IDEMPOTENCY_CONFLICT: 409,
  ALREADY_EXISTS: 409,
  ALREADY_DECIDED: 409,
  CLAIMED: 409,
  CONTRADICTION: 422,
  ILLEGAL_TRANSITION: 409,
  OBJECT_ARCHIVED: 409,
  LEGAL_HOLD: 409,
  USAGE_NOT_CURRENT: 409,
  UPLOAD_INCOMPLETE: 409,
  UPLOAD_EXPIRED: 410,
  VERSION_CONFLICT: 412,
  FILE_TOO_LARGE: 413,
  UNSUPPORTED_TYPE: 415,
  RANGE_NOT_SATISFIABLE: 416,
  TOO_MANY_PIXELS: 422,
  MALWARE_FOUND: 422,
  CONTENT_REJECTED: 422,
  BANNED_IMAGE: 422,
  UPLOAD_MISMATCH: 422,
  PROCESSING_FAILED: 422,
  RATE_LIMITED: 429,
  QUOTA_EXCEEDED: 429,
  INTERNAL: 500,
  OBJECT_DAMAGED: 500,
  INVALID_CONFIGURATION: 500,
  DATA_DIR_IN_USE: 500,
  UNSUPPORTED: 501,
  BUSY: 503,
  ABORTED: 503,
  STORAGE_UNAVAILABLE: 503,
  CDN_UNAVAILABLE: 503,
  SCANNER_UNAVAILABLE: 503,
  MODERATOR_UNAVAILABLE: 503,
  SEARCH_UNAVAILABLE: 503,
  KEYS_UNAVAILABLE: 503,
  DATABASE_UNAVAILABLE: 503,
  QUEUE_UNAVAILABLE: 503,
  IMAGE_PROCESS_FAILED: 503,
  DEADLINE_EXCEEDED: 504,
  STORAGE_FULL: 507,
};

/** Codes of our own side: what happened stays in the log. */
const PRIVATE_CODES: readonly ErrorCode[] = ['INTERNAL', 'INVALID_CONFIGURATION', 'DATA_DIR_IN_USE'];

/** Seconds a client is asked to wait when the error itself does not say. */
const DEFAULT_RETRY_AFTER = 5;

export interface ProblemLog {
  info(details: object, message: string): void;
  warn(details: object, message: string): void;
  error(details: object, message: string): void;
}

/**
 * Logs what a client was told with a status of 500 or more: who went away is news, what will pass is a warning in one
 * line, anything else is an error with its stack.
 */
export function logFailure(log: ProblemLog, thrown: unknown, context: object = {}): void {
  const error = publicError(thrown);
  const { code, details } = error;
  if (STATUS[code] < 500) return;
  if (code === 'ABORTED') log.info({ ...context, code }, 'A request was given up');
  else if (error.retryable)
    log.warn({ ...context, code, details, reason: reasonOf(error) }, 'A request has to be tried again');
  else log.error({ ...context, err: thrown, code, details }, 'A request failed');
}

/** The innermost message, which says what did not answer. */
function reasonOf(error: Error): string {
  return error.cause instanceof Error ? reasonOf(error.cause) : error.message;
}

/** Answers a request with the problem that an error is to its client; reports what is our own fault. */
export function sendProblem(request: FastifyRequest, reply: FastifyReply, thrown: unknown): FastifyReply {
  const error = publicError(thrown);
  const problem = problemOf(error, request.id);
  logFailure(request.log, thrown);
  const retryAfter = error.retryAfter ?? (error.retryable ? DEFAULT_RETRY_AFTER : undefined);
  if (retryAfter !== undefined) reply.header('retry-after', String(Math.max(1, Math.ceil(retryAfter))));
  if (error.code === 'UNAUTHENTICATED') reply.header('www-authenticate', challenge(error));
  return reply
    .code(problem.status)
    .header('cache-control', 'no-store')
    .type(PROBLEM_TYPE)
    .serializer(JSON.stringify)
    .send(problem);
}

export function problemOf(error: StorageError, requestId: string): Problem {
  const detail = PRIVATE_CODES.includes(error.code)
    ? `${ERROR_CODES.INTERNAL.title}. The request id tells us which request it was.`
    : error.message;
  return problemDocument({ code: error.code, status: STATUS[error.code], detail, requestId });
}

/** Any thrown value as one of our family; an unknown one says nothing about itself. */
export function publicError(thrown: unknown): StorageError {
  if (isStorageError(thrown)) return thrown;
  if (hasZodFastifySchemaValidationErrors(thrown)) return validationError(thrown);
  if (isFastifyError(thrown)) return frameworkError(thrown);
  return new StorageError('INTERNAL', undefined, { cause: thrown });
}

function validationError(error: {
  readonly validation: readonly { readonly instancePath: string; readonly message?: string }[];
  readonly validationContext?: string | undefined;
}): StorageError {
  const place = error.validationContext ?? 'request';
  const lines = error.validation.slice(0, 5).map((issue) => {
    const field = issue.instancePath.replace(/^\//, '').replaceAll('/', '.');
    return `${field === '' ? place : `${place}.${field}`}: ${issue.message ?? 'is not valid'}`;
  });
  return new StorageError('INVALID_REQUEST', `${lines.join('; ').slice(0, 1_000)}.`);
}

/** Errors that Fastify raises about the request itself: their own words may quote it, so they are replaced. */
function frameworkError(error: FastifyError): StorageError {
  const { statusCode = 500 } = error;
  if (statusCode === 413) return new StorageError('FILE_TOO_LARGE', 'The request body is too large.');
  if (statusCode === 415 || statusCode === 406)
    return new StorageError('UNSUPPORTED_TYPE', 'This route does not take that content type.');
  if (statusCode === 404) return new StorageError('NOT_FOUND');
  if (statusCode >= 400 && statusCode < 500)
    return new StorageError(
      'INVALID_REQUEST',
      error.code === 'FST_ERR_CTP_EMPTY_JSON_BODY'
        ? 'The body is empty although its content type is JSON.'
        : `The request cannot be read: ${STATUS_CODES[statusCode] ?? 'Bad Request'}.`,
    );
  return new StorageError('INTERNAL', undefined, { cause: error });
}

function isFastifyError(thrown: unknown): thrown is FastifyError {
  return (
    thrown instanceof Error &&
    'statusCode' in thrown &&
    typeof thrown.statusCode === 'number' &&
    'code' in thrown &&
    typeof thrown.code === 'string'
  );
}

/** RFC 6750 §3: no error attribute when no token was sent. */
function challenge(error: StorageError): string {
  const realm = 'Bearer realm="localex-storage"';
  if (error.details['tokenMissing'] === true) return realm;
  return `${realm}, error="invalid_token", error_description="${error.message.replaceAll('"', "'")}"`;
}
