import { availableParallelism } from 'node:os';
import { DEFAULT_ENCODER, type EncoderSettings } from '../domain/renditions.ts';
import { choice, flag, integer, type Read } from './setting.ts';

export interface ImagesConfig {
  /** Whether HEIC and HEIF are accepted, as phones make them. */
  readonly heic: boolean;
  /** Whether AVIF is accepted. */
  readonly avif: boolean;
  /** Width × height of an upload at most. */
  readonly maxPixels: number;
  /** Image processes, each holding one photo at a time. */
  readonly processes: number;
  /** How long an image process without work is kept. */
  readonly idleMs: number;
  /** How long one step on one photo may take before its process is ended. */
  readonly stepTimeoutMs: number;
  /** Resident memory at which an image process is ended. */
  readonly memoryLimitMb: number;
  readonly encoder: EncoderSettings;
}

const MAX_DEFAULT_PROCESSES = 8;

export const IMAGES = {
  heic: flag('IMAGE_HEIC', { description: 'Whether HEIC and HEIF are accepted.', default: true }),
  avif: flag('IMAGE_AVIF', { description: 'Whether AVIF is accepted.', default: true }),
  maxPixels: integer('IMAGE_MAX_PIXELS', {
    description: 'Width × height of an upload at most.',
    default: 50_000_000,
    min: 10_000,
    max: 500_000_000,
  }),
  processes: integer('IMAGE_PROCESSES', {
    description: 'Image processes, each holding one photo at a time.',
    default: () => Math.min(availableParallelism(), MAX_DEFAULT_PROCESSES),
    defaultText: `number of processors, at most ${MAX_DEFAULT_PROCESSES}`,
    min: 1,
    max: 64,
  }),
  idleMs: integer('IMAGE_IDLE_MS', {
    description: 'Milliseconds an image process without work is kept.',
    default: 30_000,
    min: 0,
    max: 86_400_000,
  }),
  stepTimeoutMs: integer('IMAGE_STEP_TIMEOUT_MS', {
    description: 'Milliseconds one step on one photo may take before its process is ended.',
    default: 30_000,
    min: 1000,
    max: 600_000,
  }),
  memoryLimitMb: integer('IMAGE_MEMORY_MB', {
    description: 'Resident memory, in MB, at which an image process is ended.',
    default: 1024,
    min: 256,
    max: 65_536,
  }),
  jpegQuality: quality('JPEG_QUALITY', 'JPEG', DEFAULT_ENCODER.jpegQuality),
  webpQuality: quality('WEBP_QUALITY', 'WebP', DEFAULT_ENCODER.webpQuality),
  webpEffort: integer('WEBP_EFFORT', {
    description: 'Work spent on WebP: 0 is fast, 6 is small.',
    default: DEFAULT_ENCODER.webpEffort,
    min: 0,
    max: 6,
  }),
  avifOutput: flag('AVIF_OUTPUT', {
    description: 'Whether photos are also made in AVIF.',
    default: DEFAULT_ENCODER.avif,
  }),
  avifQuality: quality('AVIF_QUALITY', 'AVIF', DEFAULT_ENCODER.avifQuality),
  alphaOriginal: choice('ALPHA_ORIGINAL', ['webp', 'png'], {
    description: 'What the original of a photo with transparency becomes.',
    default: DEFAULT_ENCODER.alphaOriginal,
  }),
};

function quality(name: string, format: string, standard: number) {
  return integer(name, { description: `Quality of ${format} outputs.`, default: standard, min: 1, max: 100 });
}

export function readImages(read: Read): ImagesConfig {
  return {
    heic: read(IMAGES.heic),
    avif: read(IMAGES.avif),
    maxPixels: read(IMAGES.maxPixels),
    processes: read(IMAGES.processes),
    idleMs: read(IMAGES.idleMs),
    stepTimeoutMs: read(IMAGES.stepTimeoutMs),
    memoryLimitMb: read(IMAGES.memoryLimitMb),
    encoder: {
      jpegQuality: read(IMAGES.jpegQuality),
      webpQuality: read(IMAGES.webpQuality),
      webpEffort: read(IMAGES.webpEffort),
      avif: read(IMAGES.avifOutput),
      avifQuality: read(IMAGES.avifQuality),
      alphaOriginal: read(IMAGES.alphaOriginal),
    },
  };
}
