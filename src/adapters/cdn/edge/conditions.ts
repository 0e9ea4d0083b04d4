/** One range of an object, both ends inclusive. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** True when If-None-Match names this entity (weak comparison, RFC 9110 §13.1.2). `etag` with quotes. */
export function isNotModified(
  headers: { readonly ifNoneMatch: string | undefined; readonly ifModifiedSince: string | undefined },
  etag: string,
  modifiedAt: Date,
): boolean {
  if (headers.ifNoneMatch !== undefined) {
    if (headers.ifNoneMatch.trim() === '*') return true;
    return headers.ifNoneMatch.split(',').some((tag) => tag.trim().replace(/^W\//, '') === etag);
  }
  const since = headers.ifModifiedSince === undefined ? Number.NaN : Date.parse(headers.ifModifiedSince);
  return !Number.isNaN(since) && Math.floor(modifiedAt.getTime() / 1000) * 1000 <= since;
}

/**
 * What a Range header asks of an object of `size` bytes (RFC 9110 §14). Null means "send it whole": no range,
 * another unit, a syntax error, several ranges, or an If-Range that names another entity.
 */
export function requestedRange(
  range: string | undefined,
  ifRange: string | undefined,
  etag: string,
  size: number,
): ByteRange | 'unsatisfiable' | null {
  if (range === undefined || (ifRange !== undefined && ifRange.trim() !== etag)) return null;
  const [, first = '', last = ''] = /^bytes=\s*(\d{0,15})-(\d{0,15})\s*$/.exec(range) ?? [];
  if (first === '' && last === '') return null;
  if (first === '') {
    const length = Math.min(Number(last), size);
    return length === 0 ? 'unsatisfiable' : { start: size - length, end: size - 1 };
  }
  const start = Number(first);
  const end = last === '' ? size - 1 : Math.min(Number(last), size - 1);
  if (last !== '' && Number(last) < start) return null;
  return start >= size ? 'unsatisfiable' : { start, end };
}
