import type { FileKind } from '../../domain/file-state.ts';
import type { ObjectKey } from '../../domain/keys.ts';
import type { OutputFormat, VariantName } from '../../domain/renditions.ts';
import type {
  DecodedFacts,
  EncodedVariant,
  ImageAnalysis,
  ImageHeader,
  ImageWarning,
} from '../../ports/image-engine.ts';

/** A photo as it was uploaded, or an object that holds one. */
export type ImageFile = Uint8Array;

export interface ImageCallOptions {
  readonly signal?: AbortSignal;
}

export interface ProcessedImage {
  readonly facts: DecodedFacts;
  readonly analysis: ImageAnalysis;
  /** The original first, then each size in each format; every one re-read and clean. */
  readonly variants: readonly EncodedVariant[];
}

export interface ValidImage {
  readonly header: ImageHeader;
  readonly warnings: readonly ImageWarning[];
}

/** What the file says of itself. For its owner: none of it is ever part of a public answer. */
export interface ImageMetadata {
  readonly format: ImageHeader['format'];
  /** Upright. */
  readonly width: number;
  readonly height: number;
  /** EXIF 1–8 as stored in the file. */
  readonly orientation: number;
  readonly pages: number;
  readonly hasAlpha: boolean;
  readonly hasColourProfile: boolean;
  /** Maker and model; null when the file does not say. */
  readonly camera: string | null;
  /** Local time of the camera, `2024-05-01T12:30:00`, without a zone. */
  readonly takenAt: string | null;
  readonly hasLocation: boolean;
  /** Degrees; only when asked for, else null. */
  readonly location: { readonly latitude: number; readonly longitude: number } | null;
}

export interface MadeObject {
  readonly key: ObjectKey;
  readonly name: VariantName;
  readonly format: OutputFormat;
  readonly width: number;
  readonly height: number;
  readonly bytes: number;
  /** False when the key was there already: a key never gets a second content. */
  readonly isNew: boolean;
}

export interface OptimizedImage {
  /** The object to use from now on: a new one, or the old one when nothing was to be gained. */
  readonly key: ObjectKey;
  readonly bytesBefore: number;
  readonly bytesAfter: number;
  readonly isNew: boolean;
}

export interface CleanImage {
  readonly data: Uint8Array;
  readonly format: OutputFormat;
  readonly width: number;
  readonly height: number;
}

/**
 * What can be done with one photo outside of the pipeline. Errors besides their own: those of `ImageEngine.open`
 * (UNSUPPORTED_TYPE, INVALID_IMAGE, TOO_MANY_PIXELS, FILE_TOO_LARGE, IMAGE_PROCESS_FAILED, ABORTED), and
 * PROCESSING_FAILED when an output is not clean, which is then not handed out.
 */
export interface ImageProcessingService {
  /** Decodes once and makes everything of it. `kind` decides which objects (an item photo by default). */
  processImage(
    file: ImageFile,
    options?: ImageCallOptions & { readonly kind?: FileKind },
  ): Promise<ProcessedImage>;
  /**
   * Makes the smaller sizes of a stored original, next to it. Objects that are there already stay as they are.
   * INVALID_REQUEST unless the key is that of a public original; NOT_FOUND when it is not there.
   */
  generateThumbnails(imageKey: string, options?: ImageCallOptions): Promise<readonly MadeObject[]>;
  /**
   * Encodes a stored image again by the present settings. When that saves at least a twentieth, the result is
   * stored under a key of its own; the old object stays until its rows say otherwise.
   */
  optimizeImage(imageKey: string, options?: ImageCallOptions): Promise<OptimizedImage>;
  /** Decodes to the end; resolves only for a photo that can be taken. */
  validateImage(file: ImageFile, options?: ImageCallOptions): Promise<ValidImage>;
  /** Reads the header and the EXIF block without decoding. Coordinates only with `includeLocation`. */
  extractMetadata(file: ImageFile, options?: { readonly includeLocation?: boolean }): Promise<ImageMetadata>;
  /** The photo as its pixels alone, upright and sRGB, at most 4,000 px: a new encoding, not a cut file. */
  removeExif(file: ImageFile, options?: ImageCallOptions): Promise<CleanImage>;
}
