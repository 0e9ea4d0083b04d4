import sharp, { type Sharp } from 'sharp';
import { type Container, MalformedContainer, readContainer } from '../../domain/containers/container.ts';
import { type IccProfile, readIcc } from '../../domain/containers/icc.ts';
import { StorageError } from '../../domain/errors.ts';
import { MAX_EDGE } from '../../domain/renditions.ts';
import type { ImageWarning } from '../../ports/image-engine.ts';
import type { WorkerSettings } from '../protocol.ts';
import { decodeHeic } from './heic.ts';
import { fromRaster, type Raster, toRaster } from './sharp.ts';

/** A longest edge below the smallest rendition: it is blurred wherever it is shown. */
const VERY_SMALL = MAX_EDGE.thumbnail;
/** H.273 colour primaries wider than sRGB's: BT.2020, DCI P3, Display P3. */
const WIDE_PRIMARIES = new Set([9, 11, 12]);

export interface Decoded {
  readonly raster: Raster;
  readonly warnings: readonly ImageWarning[];
}

/**
 * Decodes once: upright, sRGB, 8 bits, the first frame, at most 4,000 px. An alpha channel that hides nothing is
 * dropped. INVALID_IMAGE when the bytes do not decode to their end; TOO_MANY_PIXELS as a second guard.
 */
export async function decode(bytes: Uint8Array, settings: WorkerSettings): Promise<Decoded> {
  const container = open(bytes);
  const profile = container.icc === null ? null : readIcc(container.icc);
  const raster = await classify(() =>
    container.format === 'heic'
      ? decodeHeic(bytes, container, profile, settings.maxPixels)
      : decodeBySharp(bytes, container, profile, settings.maxPixels),
  );
  return { raster: await dropIdleAlpha(raster), warnings: warningsOf(container, profile, raster) };
}

function open(bytes: Uint8Array): Container {
  const container = readContainer(bytes);
  if (container === null) throw new StorageError('UNSUPPORTED_TYPE');
  return container;
}

function decodeBySharp(
  bytes: Uint8Array,
  container: Container,
  profile: IccProfile | null,
  maxPixels: number,
): Promise<Raster> {
  const pipeline = sharp(bytes, {
    // Ends with an error for what is missing or broken; a phone's odd markers are warnings and pass.
    failOn: 'error',
    limitInputPixels: maxPixels,
    pages: 1,
    ignoreIcc: profile?.gamut === 'srgb', // a conversion that would change nothing
  }).autoOrient();
  return toRaster(limited(pipeline, container));
}

function limited(pipeline: Sharp, { width, height }: { width: number; height: number }): Sharp {
  const edge = MAX_EDGE.original;
  return Math.max(width, height) > edge ? pipeline.resize(edge, edge, { fit: 'inside' }) : pipeline;
}

async function classify<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof StorageError) throw error;
    if (error instanceof Error && /pixel limit|dimension limit/.test(error.message))
      throw new StorageError('TOO_MANY_PIXELS');
    if (error instanceof MalformedContainer || error instanceof Error)
      throw new StorageError('INVALID_IMAGE', 'The photo is damaged: it does not decode to its end.');
    throw error;
  }
}

async function dropIdleAlpha(raster: Raster): Promise<Raster> {
  if (raster.channels === 3 || !isOpaque(raster.data)) return raster;
  return toRaster(fromRaster(raster).removeAlpha());
}

function isOpaque(rgba: Buffer): boolean {
  for (let at = 3; at < rgba.length; at += 4) if (rgba[at] !== 255) return false;
  return true;
}

function warningsOf(container: Container, profile: IccProfile | null, raster: Raster): ImageWarning[] {
  const longest = Math.max(container.width, container.height);
  const isWide = profile === null ? WIDE_PRIMARIES.has(container.primaries ?? 0) : profile.gamut === 'wide';
  const all: Readonly<Record<ImageWarning, boolean>> = {
    ANIMATION_DROPPED: container.frames > 1,
    SCALED_DOWN: longest > MAX_EDGE.original,
    CMYK_CONVERTED: container.isCmyk,
    WIDE_GAMUT_CONVERTED: isWide,
    DEPTH_REDUCED: container.bitDepth > 8,
    VERY_SMALL: Math.max(raster.width, raster.height) < VERY_SMALL,
  };
  const names: readonly ImageWarning[] = [
    'ANIMATION_DROPPED',
    'SCALED_DOWN',
    'CMYK_CONVERTED',
    'WIDE_GAMUT_CONVERTED',
    'DEPTH_REDUCED',
    'VERY_SMALL',
  ];
  return names.filter((name) => all[name]);
}
