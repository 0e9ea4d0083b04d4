import type { ImageHeader } from './image-header.ts';

/** What the service takes as it is. */
export const MAX_BYTES = 10 * 1024 * 1024;
export const MAX_PIXELS = 50_000_000;
/** What a photo is scaled down to here: the longest edge that the service keeps anyway. */
export const SCALED_EDGE = 4000;
export const SCALED_QUALITY = 0.9;

export type ScalingDecision =
  | { readonly action: 'send' }
  | { readonly action: 'scale'; readonly why: 'bytes' | 'pixels' }
  | { readonly action: 'refuse'; readonly code: 'FILE_TOO_LARGE' | 'EMPTY_FILE' | 'HEIC_TOO_LARGE' };

/**
 * What to do with a chosen file before it is sent. Only files that are clearly no photos are refused
 * here; in doubt the service decides. HEIC cannot be decoded by most browsers, so one over the limit
 * cannot be made smaller here.
 */
export function decideScaling(file: { bytes: number; header: ImageHeader | null }): ScalingDecision {
  const { bytes, header } = file;
  if (bytes === 0) return { action: 'refuse', code: 'EMPTY_FILE' };
  const isLarge = bytes > MAX_BYTES;
  if (header === null) return isLarge ? { action: 'refuse', code: 'FILE_TOO_LARGE' } : { action: 'send' };
  if (header.format === 'heif')
    return isLarge ? { action: 'refuse', code: 'HEIC_TOO_LARGE' } : { action: 'send' };
  if ((header.width ?? 0) * (header.height ?? 0) > MAX_PIXELS) return { action: 'scale', why: 'pixels' };
  return isLarge ? { action: 'scale', why: 'bytes' } : { action: 'send' };
}

/** What the seller is told about a photo that was made smaller. */
export function describeScaling(before: number, after: number): string {
  return `Made smaller on this device: ${megabytes(before)} → ${megabytes(after)}.`;
}

function megabytes(bytes: number): string {
  return bytes < 1_000_000
    ? `${Math.max(1, Math.round(bytes / 1000))} kB`
    : `${(bytes / 1_000_000).toFixed(1)} MB`;
}
