import type { EncoderSettings, OutputFormat, PlannedVariant } from '../../domain/renditions.ts';
import type { Encoded } from '../protocol.ts';
import type { Picture } from './picture.ts';
import { fromRaster, type Raster } from './sharp.ts';

/** AVIF's effort, 0 to 9: above 4 the time doubles for a few percent. */
const AVIF_EFFORT = 4;

/**
 * Encodes one object. Nothing but pixels goes in, so nothing but pixels can come out: no metadata and no colour
 * profile, since a file without one is sRGB by definition (CSS Color 4) and a profile would add 0.5 to 3 KB to
 * every thumbnail. JPEG is progressive, 4:2:0, without mozjpeg's trellis, which took five times the CPU for 31 % fewer bytes of a 12-megapixel original.
 */
export async function encode(
  picture: Picture,
  variant: PlannedVariant,
  settings: EncoderSettings,
): Promise<Encoded> {
  const raster = await picture.level(variant.name);
  const data = await encoders[variant.format](raster, settings);
  return { data, width: raster.width, height: raster.height };
}

const encoders: Readonly<
  Record<OutputFormat, (raster: Raster, settings: EncoderSettings) => Promise<Buffer>>
> = {
  jpeg: (raster, { jpegQuality }) =>
    flattened(raster)
      .jpeg({ quality: jpegQuality, progressive: true, chromaSubsampling: '4:2:0', mozjpeg: false })
      .toBuffer(),
  webp: (raster, { webpQuality, webpEffort }) =>
    fromRaster(raster).webp({ quality: webpQuality, effort: webpEffort }).toBuffer(),
  png: (raster) => fromRaster(raster).png({ compressionLevel: 9, adaptiveFiltering: true }).toBuffer(),
  avif: (raster, { avifQuality }) =>
    fromRaster(raster)
      .avif({ quality: avifQuality, effort: AVIF_EFFORT, chromaSubsampling: '4:2:0' })
      .toBuffer(),
};

/** On white, as a page shows it. */
function flattened(raster: Raster) {
  const pixels = fromRaster(raster);
  return raster.channels === 4 ? pixels.flatten({ background: '#ffffff' }) : pixels;
}
