import { StorageError } from './errors.ts';

/** Window sizes, in seconds; the largest that is at most a quarter of the lifetime is used. */
const WINDOWS = [3600, 1800, 900, 300, 60, 10, 1] as const;
const SHARE = 4;

/**
 * When a signature that is asked for until `expiresAt` ends: rounded up to the end of a window, so that equal requests
 * within one window get one URL, which browsers and CDN keep as one. It lives at most a quarter longer than asked, and
 * never more than `windowSeconds` longer. In seconds since 1970.
 *
 * @throws StorageError INVALID_REQUEST when it would live for more than `maxSeconds`, or has ended already
 */
export function expiryInWindow(
  expiresAt: Date,
  now: Date,
  limits: { readonly maxSeconds: number; readonly windowSeconds: number },
): number {
  const lifetime = Math.round((expiresAt.getTime() - now.getTime()) / 1000);
  if (!(lifetime <= limits.maxSeconds))
    throw new StorageError('INVALID_REQUEST', `A signed URL works for at most ${limits.maxSeconds} seconds.`);
  if (lifetime <= 0) throw new StorageError('INVALID_REQUEST', 'A signed URL ends in the future.');
  const window = WINDOWS.find((size) => size <= limits.windowSeconds && size * SHARE <= lifetime) ?? 1;
  return Math.ceil(expiresAt.getTime() / 1000 / window) * window;
}
