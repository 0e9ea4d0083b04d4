import type { FileKind } from '../domain/file-state.ts';
import type { Fingerprint } from '../domain/fingerprint.ts';
import type { MetadataFindings } from '../domain/metadata.ts';
import type { CoachMeasures } from '../domain/photo-coach.ts';
import type { OutputFormat, PlannedVariant, VariantName } from '../domain/renditions.ts';

/** What the header says, before anything is decoded. */
export interface ImageHeader {
  readonly format: 'jpeg' | 'png' | 'webp' | 'heic' | 'avif';
  /** As stored, before orientation. */
  readonly width: number;
  readonly height: number;
  readonly pages: number;
  readonly hasAlpha: boolean;
  /** EXIF 1–8; 1 when there is none. */
  readonly orientation: number;
}

export interface DecodedFacts {
  /** Upright size of the sanitised original (≤ 4000 px). */
  readonly width: number;
  readonly height: number;
  readonly sourceFormat: ImageHeader['format'];
  readonly hasAlpha: boolean;
  /** Codes people can read in the UI: ANIMATION_DROPPED, SCALED_DOWN, WIDE_GAMUT_CONVERTED, CMYK_CONVERTED … */
  readonly warnings: readonly ImageWarning[];
  readonly findings: MetadataFindings;
}

export type ImageWarning =
  | 'ANIMATION_DROPPED'
  | 'SCALED_DOWN'
  | 'WIDE_GAMUT_CONVERTED'
  | 'CMYK_CONVERTED'
  | 'DEPTH_REDUCED'
  | 'VERY_SMALL';

/** What local models and fingerprints see in the decoded pixels. */
export interface ImageAnalysis {
  /** Thumbhash, base64 (~25 bytes). */
  readonly placeholder: string;
  /** Probabilities 0–1 of the NSFW model: drawing, hentai, neutral, porn, sexy. */
  readonly nsfw: Readonly<Record<'drawing' | 'hentai' | 'neutral' | 'porn' | 'sexy', number>>;
  /** ImageNet labels with probability, highest first, at most 10. */
  readonly labels: readonly { readonly label: string; readonly index: number; readonly confidence: number }[];
  /** p[413]+p[763]+p[764]: assault rifle, revolver, rifle (models/README.md). */
  readonly gun: number;
  /** EfficientNet embedding, 1280 float32 little endian, base64. */
  readonly embedding: string;
  readonly fingerprint: Fingerprint;
  readonly models: Readonly<Record<string, string>>;
}

/**
 * What is kept of an analysis in the file's own row, until the photo is deleted: what models made of it. The placeholder has a
 * column; what a photo could be recognised by is in its fingerprint alone.
 */
export type KeptAnalysis = Pick<ImageAnalysis, 'nsfw' | 'labels' | 'gun' | 'models'>;

/** The re-read of one output (design §3, promise 1): parsed again as a container, with what was found in it. */
export interface OutputReport {
  readonly clean: boolean;
  /** Names of unexpected segments or chunks; empty when clean. */
  readonly findings: readonly string[];
  readonly width: number;
  readonly height: number;
  readonly format: OutputFormat;
  /** What it was encoded with: `recipeId`; reports of earlier versions have none. */
  readonly recipe?: string;
}

export interface EncodedVariant {
  readonly name: VariantName;
  readonly format: OutputFormat;
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
  /** Hex. */
  readonly sha256: string;
  readonly report: OutputReport;
}

/** Decoded pixels held in an image process until `close`. */
export interface DecodedImage {
  readonly facts: DecodedFacts;
  analyse(signal?: AbortSignal): Promise<ImageAnalysis>;
  /** The fingerprint of `analyse` alone, without its models. */
  fingerprint(signal?: AbortSignal): Promise<Fingerprint>;
  /** Measures the 800 px rendition for hints to the seller. Cheapest once the renditions are made. */
  coach(signal?: AbortSignal): Promise<CoachMeasures>;
  /** Makes one object of the plan from the held pixels. */
  encode(variant: PlannedVariant, signal?: AbortSignal): Promise<EncodedVariant>;
  /** Frees the pixels. Safe to call twice. */
  close(): Promise<void>;
}

/**
 * The image engine. Works in child processes: a crash or an exhausted budget ends one call with
 * IMAGE_PROCESS_FAILED (retryable) and leaves the service up.
 */
export interface ImageEngine {
  /** Codec versions that shape output bytes, for the recipe. */
  readonly versions: Readonly<Record<string, string>>;
  /**
   * Reads the header only. UNSUPPORTED_TYPE by the bytes (never by name or claim), INVALID_IMAGE when the header
   * cannot be read, TOO_MANY_PIXELS above the budget, FILE_TOO_LARGE above the byte budget.
   */
  inspect(bytes: Uint8Array): Promise<ImageHeader>;
  /**
   * Decodes once: upright, sRGB, 8 bit, first frame, ≤ 4000 px. Errors as `inspect`, and INVALID_IMAGE for bytes that
   * do not decode to the end. At most `concurrency` images are open at a time; more wait their turn.
   */
  open(bytes: Uint8Array, options: { kind: FileKind; signal?: AbortSignal }): Promise<DecodedImage>;
  close(): Promise<void>;
}
