import { z } from 'zod';
import type { CoachMeasures } from '../domain/photo-coach.ts';
import type { EncoderSettings, PlannedVariant } from '../domain/renditions.ts';
import { isErrorCode, type ErrorCode } from '../domain/errors.ts';
import { LOOK_SIDE, MOST_LANDMARKS } from '../domain/fingerprint.ts';
import { LANDMARK_FREQUENCIES } from '../domain/landmark-frequencies.ts';

/** What a process is started with. */
export interface WorkerSettings {
  readonly maxPixels: number;
  readonly formats: { readonly heic: boolean; readonly avif: boolean };
  readonly encoder: EncoderSettings;
}

/** A process holds at most one picture: `open` replaces it, `close` frees it. */
export type WorkerCommand =
  | { readonly op: 'open'; readonly bytes: Uint8Array }
  | { readonly op: 'encode'; readonly variant: PlannedVariant }
  | { readonly op: 'analyse' }
  | { readonly op: 'fingerprint' }
  | { readonly op: 'coach' }
  | { readonly op: 'close' };

export interface Request<Command> {
  readonly id: number;
  readonly command: Command;
}
export type WorkerRequest = Request<WorkerCommand>;

export type WorkerReply =
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly code: ErrorCode; readonly message: string };

/** An image process has met hostile bytes: nothing it says is taken without a look. */
export const Reply: z.ZodType<WorkerReply> = z.union([
  z.strictObject({ id: z.int(), code: z.string().refine(isErrorCode), message: z.string().max(300) }),
  z.strictObject({ id: z.int(), result: z.unknown() }),
]);

const Size = z.int().min(1).max(4000);

export const Opened = z.object({
  width: Size,
  height: Size,
  hasAlpha: z.boolean(),
  warnings: z.array(
    z.enum([
      'ANIMATION_DROPPED',
      'SCALED_DOWN',
      'WIDE_GAMUT_CONVERTED',
      'CMYK_CONVERTED',
      'DEPTH_REDUCED',
      'VERY_SMALL',
    ]),
  ),
});
export type Opened = z.infer<typeof Opened>;

export const Encoded = z.object({
  data: z.custom<Uint8Array>((value) => value instanceof Uint8Array),
  width: Size,
  height: Size,
});
/** Loose on the kind of buffer below it: sharp's and the channel's differ. */
export interface Encoded {
  readonly data: Uint8Array;
  readonly width: number;
  readonly height: number;
}

const Luma = z.number().min(0).max(255);

export const Coached: z.ZodType<CoachMeasures> = z.object({
  edgeWidth: z.number().min(0).max(1000).nullable(),
  brightness: Luma,
  highlights: Luma,
  flatness: z.number().min(0).max(1),
  ruledLines: z.int().min(0).max(8000),
  centred: z.number().min(0).max(1000),
});

const Probability = z.number().min(0).max(1);
const Hash = z.string().regex(/^[0-9a-f]{64}$/);
const LandmarkBits = z
  .int()
  .min(0)
  .max(2 ** LANDMARK_FREQUENCIES.length - 1);

export const Fingerprinted = z.object({
  hash: Hash,
  landmarks: z
    .array(z.tuple([LandmarkBits, LandmarkBits, LandmarkBits, LandmarkBits]).readonly())
    .max(MOST_LANDMARKS)
    .readonly(),
  look: z.base64().refine((text) => Buffer.from(text, 'base64').length === LOOK_SIDE ** 2),
});

export const Analysed = z.object({
  placeholder: z.base64().max(100),
  nsfw: z.object({
    drawing: Probability,
    hentai: Probability,
    neutral: Probability,
    porn: Probability,
    sexy: Probability,
  }),
  labels: z.array(z.object({ label: z.string(), index: z.int(), confidence: Probability })).max(10),
  gun: Probability,
  embedding: z.base64(),
  fingerprint: Fingerprinted,
  models: z.record(z.string(), z.string()),
});
export type Analysed = z.infer<typeof Analysed>;
