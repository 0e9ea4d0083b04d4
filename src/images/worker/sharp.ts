import sharp, { type Sharp } from 'sharp';
import type { WorkerSettings } from '../protocol.ts';

/** Pixels in memory: rows from the top, RGB or RGBA, 8 bits, sRGB, alpha not multiplied in. */
export interface Raster {
  readonly data: Buffer;
  readonly width: number;
  readonly height: number;
  readonly channels: 3 | 4;
}

/**
 * Lets libvips open nothing but the accepted formats, from memory: SVG, GIF, TIFF, PDF and whatever ImageMagick
 * reads cannot be reached, whatever the bytes say. One thread a call and no cache: processes are the parallelism,
 * and no two calls share an input.
 */
export function restrictLoaders(formats: WorkerSettings['formats']): void {
  sharp.concurrency(1);
  sharp.cache(false);
  sharp.block({ operation: ['VipsForeignLoad'] });
  const loaders = ['VipsForeignLoadJpegBuffer', 'VipsForeignLoadPngBuffer', 'VipsForeignLoadWebpBuffer'];
  sharp.unblock({ operation: formats.avif ? [...loaders, 'VipsForeignLoadHeifBuffer'] : loaders });
}

/** A sharp pipeline that begins with pixels held in memory. */
export function fromRaster({ data, width, height, channels }: Raster): Sharp {
  return sharp(data, { raw: { width, height, channels }, limitInputPixels: false });
}

/** Ends a pipeline in pixels again. */
export async function toRaster(pipeline: Sharp): Promise<Raster> {
  const { data, info } = await pipeline
    .toColourspace('srgb')
    .raw({ depth: 'uchar' })
    .toBuffer({ resolveWithObject: true });
  if (info.channels !== 3 && info.channels !== 4) throw new Error(`Unexpected channels: ${info.channels}`);
  return { data, width: info.width, height: info.height, channels: info.channels };
}
