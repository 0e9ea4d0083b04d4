import type { StoredObject } from '../../db/scrub.ts';
import { isDocumentKey, isSignedKey, isTemporaryKey, isUploadedKey } from '../../domain/keys.ts';
import { formatOfExtension, mediaTypeOf } from '../../domain/renditions.ts';
import { cacheControlOf } from '../../services/storage/caching.ts';

/** What the rows know of an object's bytes and of how it is described. */
export interface Expectation {
  /** Null for a document: its row has the length of the plain bytes. */
  readonly bytes: number | null;
  /** Null for a document that has not been opened yet. */
  readonly sha256: string | null;
  /** As it was when its bytes were last right; null when nobody has looked. */
  readonly etag: string | null;
  /** What caches and browsers are told; null for what is never served. */
  readonly labels: { readonly contentType: string; readonly cacheControl: string } | null;
}

/** Null for an object that no row describes: whether it should be there at all is not for the scrub to say. */
export function expectationOf(object: StoredObject): Expectation | null {
  const { key, etag, variant, asideOf } = object;
  if (variant !== null) {
    const labels = { contentType: mediaTypeOf(variant.format), cacheControl: cacheControlOf(key) };
    return { bytes: variant.bytes, sha256: variant.sha256, etag, labels };
  }
  if (isDocument(object))
    return { bytes: null, sha256: object.sha256, etag: etag ?? object.uploadEtag, labels: null };
  if (isEvidence(object)) {
    // What was found in another's place is kept as it is, with the type that somebody gave it.
    const labels =
      asideOf === null ? { contentType: mediaTypeOfKey(key), cacheControl: cacheControlOf(key) } : null;
    return { bytes: object.storedBytes, sha256: object.sha256, etag, labels };
  }
  if (!isUploadedKey(key) || object.uploadSha256 === null) return null;
  const pinned = isTemporaryKey(key) ? object.uploadEtag : null;
  return { bytes: object.uploadBytes, sha256: object.uploadSha256, etag: etag ?? pinned, labels: null };
}

/** An original in quarantine for a legal hold, without being a rendition any more: its hash was kept when it was moved. */
function isEvidence({ key, sha256 }: StoredObject): boolean {
  return isSignedKey(key) && sha256 !== null;
}

function mediaTypeOfKey(key: string): string {
  const format = formatOfExtension(key.slice(key.lastIndexOf('.') + 1));
  return format === null ? 'application/octet-stream' : mediaTypeOf(format);
}

export function isDocument({ key }: Pick<StoredObject, 'key'>): boolean {
  return isDocumentKey(key);
}

/** Uploaded bytes on their way through the checks: the pipeline compares them itself, and refuses what was changed. */
export function isPassing({ key }: Pick<StoredObject, 'key'>): boolean {
  return isTemporaryKey(key);
}
