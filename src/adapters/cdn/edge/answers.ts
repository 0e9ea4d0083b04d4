import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { type CachePolicy, cacheControlOf, PRIVATE } from '#src/domain/cache-policy.ts';
import { ERROR_CODES, type ErrorCode, type StorageError } from '#src/domain/errors.ts';
import type { FileId } from '#src/domain/ids.ts';
import { parsePublicKey } from '#src/domain/keys.ts';
import { PROBLEM_TYPE, problemDocument } from '#src/domain/problem.ts';
import { formatOfExtension, mediaTypeOf } from '#src/domain/renditions.ts';
import type { ObjectInfo } from '#src/ports/object-store.ts';

/** Header fields of an object, made once. */
export interface PreparedHeaders {
  /** False when the stored type is not the one the extension promises: it is never sent. */
  readonly servable: boolean;
  readonly etag: string;
  /** How the answer to its own URL may be kept. */
  readonly plain: KeptAs;
  /** How one that Accept decided on may be kept. */
  readonly negotiated: KeptAs;
  /** Names and values in turn, as `writeHead` takes them without copying. */
  readonly whole: string[];
  /** The same for a negotiated answer. */
  readonly wholeVary: string[];
  readonly base: readonly string[];
  /** Of the photo that it is a picture of. */
  readonly fileId: FileId | null;
  /** Whether it has been sent before. */
  wasSent: boolean;
}

/** How long, by whom, and for which Accept an answer may be kept. */
export interface KeptAs {
  readonly cacheControl: string;
  readonly vary: boolean;
}

export const KEPT_BY_NOBODY: KeptAs = { cacheControl: cacheControlOf(PRIVATE), vary: false };

export function prepareHeaders(info: ObjectInfo, policy: CachePolicy): PreparedHeaders {
  const etag = `"${info.etag.replaceAll(/[^\x21\x23-\x7e]/g, '')}"`;
  const base = [
    'Content-Type',
    info.contentType,
    'ETag',
    etag,
    'Last-Modified',
    info.modifiedAt.toUTCString(),
    'Accept-Ranges',
    'bytes',
    'X-Content-Type-Options',
    'nosniff',
    'Cross-Origin-Resource-Policy',
    'cross-origin',
    'Content-Security-Policy',
    "default-src 'none'; sandbox",
  ];
  const length = ['Content-Length', String(info.bytes)];
  const plain = { cacheControl: cacheControlOf(policy), vary: false };
  const negotiated = { ...plain, vary: true };
  return {
    servable: isOurType(info),
    etag,
    base,
    plain,
    negotiated,
    fileId: parsePublicKey(info.key)?.fileId ?? null,
    wasSent: false,
    whole: [...base, ...cachingFields(plain), ...length],
    wholeVary: [...base, ...cachingFields(negotiated), ...length],
  };
}

/** Header fields of an answer that is not the plain one. */
export function headersFor(prepared: PreparedHeaders, kept: KeptAs, extra: readonly string[]): string[] {
  return [...prepared.base, ...cachingFields(kept), ...extra];
}

/** Answers a failure as a problem document that names no internals and that no cache keeps. */
export function sendProblem(res: ServerResponse, error: StorageError, extra: readonly string[] = []): void {
  const status = EDGE_STATUS[error.code] ?? 503;
  const code: ErrorCode = EDGE_STATUS[error.code] === undefined ? 'STORAGE_UNAVAILABLE' : error.code;
  const requestId = randomUUID();
  const detail = code === error.code ? error.message : `${ERROR_CODES[code].title}.`;
  const body = JSON.stringify(problemDocument({ code, status, detail, requestId }));
  res.writeHead(status, [
    'Content-Type',
    PROBLEM_TYPE,
    'Content-Length',
    String(Buffer.byteLength(body)),
    'Cache-Control',
    'no-store',
    'X-Content-Type-Options',
    'nosniff',
    'Content-Security-Policy',
    "default-src 'none'; frame-ancestors 'none'",
    'X-Request-Id',
    requestId,
    ...(status === 503 ? ['Retry-After', '1'] : []),
    ...extra,
  ]);
  res.end(res.req.method === 'HEAD' ? undefined : body);
}

/** What a CDN answers in these cases; anything else is a store that does not answer. */
const EDGE_STATUS: Readonly<Partial<Record<ErrorCode, number>>> = {
  INVALID_REQUEST: 400,
  FORBIDDEN: 403,
  NOT_FOUND: 404,
  INVALID_KEY: 404,
  UNSUPPORTED: 405,
  OBJECT_ARCHIVED: 409,
  VERSION_CONFLICT: 404,
  RANGE_NOT_SATISFIABLE: 416,
};

function cachingFields(kept: KeptAs): string[] {
  return ['Cache-Control', kept.cacheControl, ...(kept.vary ? ['Vary', 'Accept'] : [])];
}

function isOurType(info: ObjectInfo): boolean {
  const format = formatOfExtension(info.key.slice(info.key.lastIndexOf('.') + 1));
  return format !== null && info.contentType === mediaTypeOf(format);
}
