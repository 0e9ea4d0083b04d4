import { fileTypeFromBuffer } from 'file-type';
import { type Container, MalformedContainer, readContainer, viewOf } from '../domain/containers/container.ts';
import { type Exif, readExif } from '../domain/containers/exif.ts';
import { StorageError } from '../domain/errors.ts';
import type { MetadataFindings } from '../domain/metadata.ts';
import type { ImageHeader } from '../ports/image-engine.ts';
import { findingsOf } from './findings.ts';

export interface InspectLimits {
  readonly maxPixels: number;
  readonly maxBytes: number;
  /** Inputs beside JPEG, PNG and WebP. */
  readonly formats: { readonly heic: boolean; readonly avif: boolean };
}

export interface Inspection {
  readonly header: ImageHeader;
  /** Read when it is asked for: headers alone are inspected more often. */
  readonly findings: MetadataFindings;
  readonly container: Container;
  readonly exif: Exif | null;
}

/**
 * Reads the header and what lies around the picture, in plain JavaScript: no decoder sees the bytes yet.
 * FILE_TOO_LARGE, UNSUPPORTED_TYPE, INVALID_IMAGE, TOO_MANY_PIXELS, in this order.
 */
export async function inspectImage(bytes: Uint8Array, limits: InspectLimits): Promise<Inspection> {
  if (bytes.byteLength > limits.maxBytes)
    throw new StorageError('FILE_TOO_LARGE', `A photo may have up to ${megabytes(limits.maxBytes)}.`);
  if (bytes.byteLength === 0) throw new StorageError('INVALID_IMAGE', 'The file is empty.');
  const container = take(bytes);
  if (container === null || !isAllowed(container.format, limits.formats))
    throw new StorageError('UNSUPPORTED_TYPE', await refusal(bytes, limits.formats));
  const pixels = container.width * container.height;
  if (pixels === 0) throw new StorageError('INVALID_IMAGE', 'The photo says that it has no pixels.');
  if (pixels > limits.maxPixels)
    throw new StorageError(
      'TOO_MANY_PIXELS',
      `A photo may have up to ${Math.floor(limits.maxPixels / 1e6)} megapixels; this one has ${Math.ceil(pixels / 1e6)}.`,
    );
  const blocks = container.exif.map(readExif);
  const exif = blocks[0] ?? null;
  return {
    container,
    exif,
    get findings() {
      return findingsOf(viewOf(bytes), container, blocks);
    },
    header: {
      format: container.format,
      width: container.width,
      height: container.height,
      pages: container.frames,
      hasAlpha: container.hasAlpha,
      orientation: container.selfOriented ? 1 : (exif?.orientation ?? 1),
    },
  };
}

function take(bytes: Uint8Array): Container | null {
  try {
    return readContainer(bytes);
  } catch (error) {
    if (!(error instanceof MalformedContainer)) throw error;
    throw new StorageError('INVALID_IMAGE', 'The photo is damaged: its header cannot be read.', {
      cause: error,
    });
  }
}

function isAllowed(format: Container['format'], formats: InspectLimits['formats']): boolean {
  return format === 'heic' ? formats.heic : format === 'avif' ? formats.avif : true;
}

async function refusal(bytes: Uint8Array, formats: InspectLimits['formats']): Promise<string> {
  const names = ['JPEG', 'PNG', 'WebP', ...(formats.heic ? ['HEIC'] : []), ...(formats.avif ? ['AVIF'] : [])];
  const found = await fileTypeFromBuffer(bytes).catch(() => undefined);
  const what = found === undefined ? 'The file is not a photo' : `The file is ${found.ext.toUpperCase()}`;
  return `${what}; accepted are ${names.slice(0, -1).join(', ')} and ${names.at(-1)}.`;
}

function megabytes(bytes: number): string {
  return `${Math.floor(bytes / (1024 * 1024))} MB`;
}
