import type { DecodedImage, ImageAnalysis } from './image-engine.ts';

export type ModerationVerdict = 'publish' | 'review' | 'reject';

export interface ModerationLabel {
  readonly label: string;
  /** 0–1 */
  readonly confidence: number;
}

export interface ModerationResult {
  /** `review` is the answer to doubt. */
  readonly verdict: ModerationVerdict;
  /** What led to the verdict, highest first; empty when nothing was found. */
  readonly labels: readonly ModerationLabel[];
  readonly moderator: string;
  /** Models and policy with versions. */
  readonly versions: Readonly<Record<string, string>>;
}

/** Judges a photo. MODERATOR_UNAVAILABLE when it cannot: "not yet", never "clean". */
export interface Moderator {
  readonly name: string;
  moderate(
    photo: {
      readonly image: DecodedImage;
      readonly analysis: ImageAnalysis;
      readonly category: string | null;
    },
    signal?: AbortSignal,
  ): Promise<ModerationResult>;
  ping(signal?: AbortSignal): Promise<void>;
  close(): Promise<void>;
}
