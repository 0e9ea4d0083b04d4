import { createHash } from 'node:crypto';
import type { FileKind } from './file-state.ts';

export const VARIANTS = ['original', 'large', 'medium', 'thumbnail'] as const;
export type VariantName = (typeof VARIANTS)[number];
export const OUTPUT_FORMATS = ['jpeg', 'webp', 'png', 'avif'] as const;
export type OutputFormat = (typeof OUTPUT_FORMATS)[number];

/** Longest edge in pixels (plan: original ≤ 4000, 1200 desktop, 800 tablet, 300 mobile list). Never enlarged. */
export const MAX_EDGE: Readonly<Record<VariantName, number>> = {
  original: 4000,
  large: 1200,
  medium: 800,
  thumbnail: 300,
};

const EXTENSIONS: Readonly<Record<OutputFormat, string>> = {
  jpeg: 'jpg',
  webp: 'webp',
  png: 'png',
  avif: 'avif',
};
const MEDIA_TYPES: Readonly<Record<OutputFormat, string>> = {
  jpeg: 'image/jpeg',
  webp: 'image/webp',
  png: 'image/png',
  avif: 'image/avif',
};

/** What the encoders are told. Part of the recipe: another value makes new keys. */
export interface EncoderSettings {
  /** 1–100; plan: 85, progressive. */
  readonly jpegQuality: number;
  /** 1–100. */
  readonly webpQuality: number;
  /** 0 (fast) – 6 (small). */
  readonly webpEffort: number;
  /** Whether 1200, 800 and 300 px are made in AVIF too. */
  readonly avif: boolean;
  /** 1–100; used only with `avif`. */
  readonly avifQuality: number;
  /** What a source with alpha becomes as original: WebP (lossy, keeps alpha) or PNG. */
  readonly alphaOriginal: 'webp' | 'png';
}

export const DEFAULT_ENCODER: EncoderSettings = {
  jpegQuality: 85,
  webpQuality: 80,
  webpEffort: 4,
  avif: false,
  avifQuality: 60,
  alphaOriginal: 'webp',
};

/** One object to make. */
export interface PlannedVariant {
  readonly name: VariantName;
  readonly format: OutputFormat;
  readonly maxEdge: number;
}

/**
 * The objects to make of a photo, the original first. An item photo has four variants, a profile photo
 * original and thumbnail (design §6). Sizes larger than the source are still made, at the source's size,
 * so that every URL exists.
 */
export function planVariants(
  kind: FileKind,
  hasAlpha: boolean,
  encoder: EncoderSettings,
): readonly PlannedVariant[] {
  const original: PlannedVariant = {
    name: 'original',
    format: hasAlpha ? encoder.alphaOriginal : 'jpeg',
    maxEdge: MAX_EDGE.original,
  };
  const names: readonly VariantName[] =
    kind === 'profile_photo' ? ['thumbnail'] : kind === 'item_photo' ? ['large', 'medium', 'thumbnail'] : [];
  const formats: readonly OutputFormat[] = encoder.avif ? ['jpeg', 'webp', 'avif'] : ['jpeg', 'webp'];
  return [
    ...(kind === 'verification_document' ? [] : [original]),
    ...names.flatMap((name) => formats.map((format) => ({ name, format, maxEdge: MAX_EDGE[name] }))),
  ];
}

/** Size inside a square of `maxEdge`, whole pixels, at least 1, never enlarged. */
export function fitInside(width: number, height: number, maxEdge: number): { width: number; height: number } {
  const scale = Math.min(1, maxEdge / Math.max(width, height));
  return { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) };
}

export function extensionOf(format: OutputFormat): string {
  return EXTENSIONS[format];
}
export function mediaTypeOf(format: OutputFormat): string {
  return MEDIA_TYPES[format];
}
/** The format of an extension as keys carry it, or null. */
export function formatOfExtension(extension: string): OutputFormat | null {
  return OUTPUT_FORMATS.find((format) => EXTENSIONS[format] === extension) ?? null;
}

/**
 * One text for everything that shapes the output bytes. With the upload's hash it decides the keys, so
 * that a key never has two contents (design §3, promise 5). `engineVersions`: codec versions as the engine reports them.
 */
export function recipeVersion(
  encoder: EncoderSettings,
  engineVersions: Readonly<Record<string, string>>,
): string {
  const versions = sorted(engineVersions);
  return JSON.stringify({ plan: 1, edges: MAX_EDGE, encoder: sorted(encoder), versions });
}

/** Names a recipe where the whole of it would be too long: 16 hex digits of its SHA-256. */
export function recipeId(version: string): string {
  return createHash('sha256').update(version).digest('hex').slice(0, 16);
}

/** The order in which settings were written down changes nothing. */
function sorted(values: object): [string, unknown][] {
  return Object.entries(values).toSorted(([a], [b]) => (a < b ? -1 : 1));
}
