import { jpegSize, pngSize } from './sizes.ts';
import { Refusal } from './refusal.ts';

/** "Guidelines and quotas in Amazon Rekognition", Developer Guide 2025: raw bytes passed in the request. */
const MAX_BYTES = 5 * 1024 * 1024;
/** The same page: DetectModerationLabels takes images of 50 px and more in height and width. */
const MIN_EDGE = 50;
/** The same page: the maximum of any dimension, for images that are not in a bucket. */
const MAX_EDGE = 10_000;

/** Refuses what the service would refuse; resolves to what it took. */
export function assertImage(bytes: Buffer): { width: number; height: number; bytes: number } {
  if (bytes.length > MAX_BYTES) throw new Refusal(400, 'ImageTooLargeException');
  // "The image must be either a PNG or JPEG formatted file."
  const size = jpegSize(bytes) ?? pngSize(bytes);
  if (size === null) throw new Refusal(400, 'InvalidImageFormatException');
  if (Math.min(size.width, size.height) < MIN_EDGE) throw new Refusal(400, 'InvalidParameterException');
  if (Math.max(size.width, size.height) > MAX_EDGE) throw new Refusal(400, 'InvalidParameterException');
  return { ...size, bytes: bytes.length };
}
