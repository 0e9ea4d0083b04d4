import { isUserId, type UserId } from '#src/domain/ids.ts';
import { isSignedKey, type ObjectKey, objectKey, parsePublicKey } from '#src/domain/keys.ts';
import { extensionOf, formatOfExtension, mediaTypeOf, type OutputFormat } from '#src/domain/renditions.ts';

/** What a path below `/cdn/` asks for. */
export type Target =
  | { readonly kind: 'object'; readonly key: ObjectKey }
  /** One of several formats, chosen by the Accept header. `stem` is the key up to its extension. */
  | { readonly kind: 'auto'; readonly stem: string; readonly isOriginal: boolean }
  /** The present profile photo of a user. */
  | { readonly kind: 'alias'; readonly userId: UserId }
  /** Needs a signature. */
  | { readonly kind: 'private'; readonly key: ObjectKey };

const VIEW = /^quarantine\/view\/[0-9a-f-]{36}-[0-9a-f]{12}\.([a-z]{3,4})$/;
const ALIAS = /^profiles\/thumbnail\/([^/]+)\/current$/;

/**
 * Reads a path still percent-encoded. Only the shapes that we publish are known, letter by letter, so no
 * traversal, no second decoding and no other prefix reaches the store. Null is "not found",
 * `malformed` a path that is no valid percent-encoding or holds a NUL.
 */
export function readTarget(encodedPath: string): Target | 'malformed' | null {
  // A slash that is encoded would be another path to whoever does not decode it, a CDN's rules for prefixes say.
  if (/%2f|%5c/i.test(encodedPath)) return null;
  const path = decode(encodedPath);
  if (path === null || path.includes('\0')) return 'malformed';
  if (isSignedKey(path)) {
    const format = formatOfExtension(VIEW.exec(path)?.[1] ?? '');
    return format === null ? null : { kind: 'private', key: objectKey(path) };
  }
  const alias = ALIAS.exec(path)?.[1];
  if (alias !== undefined) return isUserId(alias) ? { kind: 'alias', userId: alias } : null;
  if (path.endsWith('.auto')) {
    const stem = path.slice(0, -'.auto'.length);
    const parts = parsePublicKey(`${stem}.jpg`);
    return parts === null ? null : { kind: 'auto', stem, isOriginal: parts.variant === 'original' };
  }
  const parts = parsePublicKey(path);
  return parts === null ? null : { kind: 'object', key: objectKey(path) };
}

/**
 * Keys to try for `.auto`, best first. Renditions are WebP where the client takes it, else JPEG; AVIF is left
 * out because not every photo has it. An original is one object, whatever its format.
 */
export function candidates(target: Extract<Target, { kind: 'auto' }>, webp: boolean): readonly ObjectKey[] {
  const renditions: readonly OutputFormat[] = webp ? ['webp', 'jpeg'] : ['jpeg'];
  const formats = target.isOriginal ? (['jpeg', 'webp', 'png'] as const) : renditions;
  return formats.map((format) => objectKey(`${target.stem}.${extensionOf(format)}`));
}

/** True when the Accept header names image/webp with a quality above 0: a wildcard is no promise to decode it. */
export function acceptsWebp(accept: string | undefined): boolean {
  if (accept === undefined) return false;
  const range = accept
    .toLowerCase()
    .split(',')
    .find((part) => part.trim().split(';', 1)[0]?.trim() === mediaTypeOf('webp'));
  return range !== undefined && !/;\s*q=0(\.0{1,3})?\s*($|;)/.test(range);
}

function decode(path: string): string | null {
  if (!path.includes('%')) return path;
  try {
    return decodeURIComponent(path);
  } catch {
    return null;
  }
}
