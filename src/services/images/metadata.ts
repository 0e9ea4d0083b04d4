import { readContainer } from '../../domain/containers/container.ts';
import { type Exif, readExif } from '../../domain/containers/exif.ts';
import type { ImageHeader } from '../../ports/image-engine.ts';
import type { ImageFile, ImageMetadata } from './types.ts';

/** Orientations that lie on their side. */
const TURNED = 5;

/** Puts together what a file says of itself. Coordinates leave only when they were asked for. */
export function describeImage(file: ImageFile, header: ImageHeader, includeLocation: boolean): ImageMetadata {
  const container = readContainer(file);
  const blocks = (container?.exif ?? []).map(readExif);
  const exif = blocks[0] ?? null;
  const isTurned = header.orientation >= TURNED;
  return {
    format: header.format,
    width: isTurned ? header.height : header.width,
    height: isTurned ? header.width : header.height,
    orientation: header.orientation,
    pages: header.pages,
    hasAlpha: header.hasAlpha,
    hasColourProfile: (container?.icc ?? null) !== null,
    camera: cameraOf(exif),
    takenAt: exif?.takenAt ?? null,
    hasLocation: blocks.some((block) => block.hasGps),
    location: includeLocation ? (blocks.find((block) => block.position !== null)?.position ?? null) : null,
  };
}

/** Models often begin with their maker's name. */
function cameraOf(exif: Exif | null): string | null {
  const [make, model] = [exif?.make ?? null, exif?.model ?? null];
  if (make === null || model === null) return make ?? model;
  return model.toLowerCase().startsWith(make.toLowerCase()) ? model : `${make} ${model}`;
}
