import type { PlannedVariant } from '#src/domain/renditions.ts';
import type { DecodedImage } from '#src/ports/image-engine.ts';

/** "Guidelines and quotas in Amazon Rekognition", Developer Guide 2025: bytes of an image in the request; 50 px for moderation. */
const MAX_BYTES = 5 * 1024 * 1024;
const MIN_EDGE = 50;

/** What is sent: 1200 px show all that the models look for; a panorama, thinner than that allows, goes whole. */
const SENT: readonly PlannedVariant[] = [
  { name: 'large', format: 'jpeg', maxEdge: 1200 },
  { name: 'original', format: 'jpeg', maxEdge: 4000 },
];

/** A JPEG within the limits; null for a photo that has none. */
export async function renditionOf(image: DecodedImage, signal?: AbortSignal): Promise<Uint8Array | null> {
  const { width, height } = image.facts;
  for (const variant of SENT) {
    const scale = Math.min(1, variant.maxEdge / Math.max(width, height));
    if (Math.min(width, height) * scale < MIN_EDGE) continue;
    const { data } = await image.encode(variant, signal);
    if (data.length <= MAX_BYTES) return data;
  }
  return null;
}
