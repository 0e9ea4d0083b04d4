import sharp, { type Sharp } from 'sharp';
import type { Container } from '../../domain/containers/container.ts';
import type { IccProfile } from '../../domain/containers/icc.ts';
import { StorageError } from '../../domain/errors.ts';
import { MAX_EDGE } from '../../domain/renditions.ts';
import { profiledPng } from './profiled-png.ts';
import { fromRaster, type Raster, toRaster } from './sharp.ts';

const DISPLAY_P3 = 12;

/**
 * Decodes the primary picture with libheif (WebAssembly, so that a fault in it stays in its own memory): HEVC, which
 * sharp's build lacks. libheif turns it upright by the file's own transforms and hands out RGBA without regard to
 * the colour profile; pixels then take a detour through an uncompressed PNG that carries the profile into sharp.
 */
export async function decodeHeic(
  bytes: Uint8Array,
  container: Container,
  profile: IccProfile | null,
  maxPixels: number,
): Promise<Raster> {
  // 15 MB of WebAssembly that most processes never need.
  const { default: heicDecode } = await import('heic-decode');
  const images = await heicDecode.all({ buffer: bytes });
  try {
    const [image] = images;
    if (image === undefined) throw new StorageError('INVALID_IMAGE');
    if (image.width * image.height > maxPixels) throw new StorageError('TOO_MANY_PIXELS');
    const { width, height, data } = await image.decode();
    const rgba: Raster = {
      data: Buffer.from(data.buffer, data.byteOffset, data.byteLength),
      width,
      height,
      channels: 4,
    };
    return await toSrgb(rgba, container, profile);
  } finally {
    images.dispose();
  }
}

async function toSrgb(rgba: Raster, container: Container, profile: IccProfile | null): Promise<Raster> {
  const icc =
    profile === null ? await profileOf(container.primaries) : profile.gamut === 'srgb' ? null : container.icc;
  const edge = MAX_EDGE.original;
  const fit = (pipeline: Sharp) =>
    Math.max(rgba.width, rgba.height) > edge ? pipeline.resize(edge, edge, { fit: 'inside' }) : pipeline;
  const keep = (pipeline: Sharp) => (container.hasAlpha ? pipeline : pipeline.removeAlpha());
  if (icc === null) return toRaster(fit(keep(fromRaster(rgba))));
  return toRaster(fit(keep(sharp(profiledPng(rgba, icc), { limitInputPixels: false }))));
}

/** Files may name Display P3 by number; sharp carries a profile of it. */
async function profileOf(primaries: number | null): Promise<Buffer | null> {
  if (primaries !== DISPLAY_P3) return null;
  const pixel = sharp({ create: { width: 1, height: 1, channels: 3, background: '#000' } });
  const { icc } = await sharp(await pixel.withIccProfile('p3').png().toBuffer()).metadata();
  return icc ?? null;
}
