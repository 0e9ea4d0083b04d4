import { StorageError } from './errors.ts';
import { isObjectKey, isPublicKey, isServedKey, parsePublicKey } from './keys.ts';

/**
 * Checks a path that is to be purged: a key under a prefix that the CDN serves, its `.auto`, the alias of a profile
 * photo, or the beginning of such paths followed by one `*`, the last character. Throws INVALID_KEY.
 */
export function purgePath(value: string): string {
  const isWildcard = value.endsWith('*');
  const fixed = isWildcard ? value.slice(0, -1) : value;
  const key = fixed.endsWith('/') && isWildcard ? fixed.slice(0, -1) : fixed;
  if (!isServedKey(fixed) || fixed.includes('*') || !isObjectKey(key))
    throw new StorageError(
      'INVALID_KEY',
      'A path of the CDN begins with items/, profiles/ or quarantine/view/ and has at most one "*", at its end.',
      { details: { path: value.slice(0, 200) } },
    );
  return value;
}

/** Checks a path that is to be warmed: public, and one object. Throws INVALID_KEY. */
export function warmPath(value: string): string {
  if (value.endsWith('*') || !isPublicKey(purgePath(value)))
    throw new StorageError('INVALID_KEY', 'Only single public objects can be warmed.', {
      details: { path: value.slice(0, 200) },
    });
  return value;
}

/** Whether a path stands for objects of one photo only: its key, or the `.auto` that picks among its formats. */
export function isPhotoPath(path: string): boolean {
  return parsePublicKey(path.replace(/\.auto$/, '.jpg')) !== null;
}

/** Whether `pattern`, a path that may end in `*`, covers `path`. */
export function covers(pattern: string, path: string): boolean {
  return pattern.endsWith('*') ? path.startsWith(pattern.slice(0, -1)) : path === pattern;
}
