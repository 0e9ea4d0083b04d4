import type { Region } from '../domain/finding.ts';
import type { Grounds, ModerationVerdict } from '../domain/moderation-policy.ts';
import type { Subject } from '../domain/moderation-subjects.ts';
import type { DecodedImage, ImageAnalysis } from './image-engine.ts';

/** One thing that a detector says it sees in a photo. */
export interface ModerationLabel {
  readonly label: string;
  /** 0–1 */
  readonly confidence: number;
  /** Null when it is about the whole photo, or the detector knows no place. */
  readonly region: Region | null;
  readonly model: string;
  readonly version: string;
}

/** What a detector saw in one photo: everything it gives a number for, whether that is much or little. */
export interface Detection {
  readonly labels: readonly ModerationLabel[];
  /** Its models with versions, also of those that saw nothing. */
  readonly versions: Readonly<Record<string, string>>;
}

export interface PhotoToJudge {
  readonly image: DecodedImage;
  readonly analysis: ImageAnalysis;
  /** Of its listing. */
  readonly category: string | null;
}

/** What is stored of a photo that was judged before. */
export interface PastDetection {
  readonly analysis: Pick<ImageAnalysis, 'nsfw' | 'gun' | 'models'> | null;
  readonly scores: readonly ModerationLabel[];
}

/** Sees, and decides nothing. MODERATOR_UNAVAILABLE when it cannot: "not yet", never "clean". */
export interface Detector {
  readonly name: string;
  /** Kinds of things it is able to see; to all others it is blind. */
  readonly sees: readonly Subject[];
  /** Whether photos cost money: each answer is counted as one, and none is asked for by a dry run. */
  readonly isCharged: boolean;
  detect(photo: PhotoToJudge, signal?: AbortSignal): Promise<Detection>;
  /** What it said of a photo before; null when it has to look (again): it never did, or its model has changed. */
  recall(past: PastDetection): Detection | null;
  ping(signal?: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

export interface ModerationResult {
  /** `review` is the answer to doubt. */
  readonly verdict: ModerationVerdict;
  /** What led to the verdict and by which threshold, highest first; empty when nothing did. */
  readonly labels: readonly (ModerationLabel & Grounds)[];
  /** Everything that was seen, so that the photo can be judged by another policy. */
  readonly scores: readonly ModerationLabel[];
  /** Names of the detectors that were asked. */
  readonly moderator: string;
  /** Of their models. */
  readonly versions: Readonly<Record<string, string>>;
  readonly policy: { readonly name: string; readonly version: string };
}

/** A verdict as a file's row has it: one from before policies were files has neither scores nor a policy. */
export type StoredModeration = Pick<ModerationResult, 'verdict' | 'moderator' | 'versions'> &
  Partial<Pick<ModerationResult, 'scores' | 'policy'>> & {
    readonly labels: readonly { readonly label: string; readonly confidence: number }[];
    readonly at: string;
  };

/** Judges a photo by what its detectors see. MODERATOR_UNAVAILABLE unless all of them answer. */
export interface Moderator {
  readonly name: string;
  moderate(photo: PhotoToJudge, signal?: AbortSignal): Promise<ModerationResult>;
  ping(signal?: AbortSignal): Promise<void>;
  close(): Promise<void>;
}
