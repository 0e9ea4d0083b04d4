import type { EncoderSettings } from '../domain/renditions.ts';
import type { ImageEngine, ImageHeader } from '../ports/image-engine.ts';
import type { Moderator } from '../ports/moderator.ts';
import type { Scanner } from '../ports/scanner.ts';
import type { ServiceDeps } from '../services/deps.ts';

/** What jobs need beside what services need. */
export interface JobDeps extends ServiceDeps {
  readonly images: ImageEngine;
  readonly scanner: Scanner;
  readonly moderator: Moderator;
  readonly encoder: EncoderSettings;
  /** How long a scanner or a moderator may take to answer, in milliseconds. */
  readonly checkTimeoutMs: number;
  /** What is let in, by the bytes. */
  readonly acceptedFormats: ReadonlySet<ImageHeader['format']>;
}
