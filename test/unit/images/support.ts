import { readFile } from 'node:fs/promises';
import sharp from 'sharp';
import { DEFAULT_ENCODER } from '#src/domain/renditions.ts';
import { createImageEngine, type ImageEngineOptions } from '#src/images/engine.ts';
import type { DecodedImage, EncodedVariant, ImageEngine } from '#src/ports/image-engine.ts';
import { photoPath } from '#test/support/photos.ts';
import { silentLog } from '#test/support/silent-log.ts';

export const ORIGINAL = { name: 'original', format: 'png', maxEdge: 4000 } as const;
export const THUMBNAIL = { name: 'thumbnail', format: 'jpeg', maxEdge: 300 } as const;

/** A real engine with one process, as the service runs it but for what a test changes. */
export function testEngine(changes: Partial<ImageEngineOptions> = {}): ImageEngine {
  return createImageEngine({
    processes: 1,
    idleMs: 60_000,
    maxPixels: 50_000_000,
    maxBytes: 10 * 1024 * 1024,
    formats: { heic: true, avif: true },
    encoder: DEFAULT_ENCODER,
    openTimeoutMs: 60_000,
    memoryLimitMb: 1024,
    log: silentLog,
    ...changes,
  });
}

export function photoBytes(name: string): Promise<Buffer> {
  return readFile(photoPath(name));
}

/** Opens, works, closes. */
export async function withImage<T>(
  engine: ImageEngine,
  bytes: Uint8Array,
  work: (image: DecodedImage) => Promise<T>,
): Promise<T> {
  const image = await engine.open(bytes, { kind: 'item_photo' });
  try {
    return await work(image);
  } finally {
    await image.close();
  }
}

/** What the engine made of the bytes, without losses. */
export function openedAsPng(engine: ImageEngine, bytes: Uint8Array): Promise<EncodedVariant> {
  return withImage(engine, bytes, (image) => image.encode(ORIGINAL));
}

const SIDE = 32;

/** Mean difference of two pictures, 0 to 255 a channel, both reduced to 32 × 32 on white. */
export async function distance(a: Uint8Array, b: Uint8Array): Promise<number> {
  const [left, right] = await Promise.all([reduced(a), reduced(b)]);
  const sum = left.reduce((total, value, index) => total + Math.abs(value - (right[index] ?? 0)), 0);
  return sum / left.length;
}

function reduced(bytes: Uint8Array): Promise<Buffer> {
  return sharp(bytes)
    .flatten({ background: '#ffffff' })
    .resize(SIDE, SIDE, { fit: 'fill' })
    .toColourspace('srgb')
    .raw()
    .toBuffer();
}
