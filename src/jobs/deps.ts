import type { EncoderSettings } from '../domain/renditions.ts';
import type { ImageEngine, ImageHeader } from '../ports/image-engine.ts';
import type { Moderator } from '../ports/moderator.ts';
import type { Scanner } from '../ports/scanner.ts';
import type { TextReader } from '../ports/text-reader.ts';
import type { ModerationPolicy } from '../domain/moderation-policy.ts';
import type { ServiceDeps } from '../services/deps.ts';

/** What jobs need beside what services need. */
export interface JobDeps extends ServiceDeps {
  readonly images: ImageEngine;
  readonly scanner: Scanner;
  readonly moderator: Moderator;
  /** What becomes of a photo by what is seen in it, also after it was published. */
  readonly policy: ModerationPolicy;
  /** Null where text and codes in photos are not looked for. */
  readonly textReader: TextReader | null;
  readonly encoder: EncoderSettings;
  /** How long a scanner or a moderator may take to answer, in milliseconds. */
  readonly checkTimeoutMs: number;
  /** Whether a photo that shows what another seller's shows goes to a moderator. */
  readonly findCopies: boolean;
  /** What is let in, by the bytes. */
  readonly acceptedFormats: ReadonlySet<ImageHeader['format']>;
}
