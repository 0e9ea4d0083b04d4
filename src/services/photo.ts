import type { ArchiveState } from '../domain/archive-state.ts';
import type { FileKind, FileState, Stage } from '../domain/file-state.ts';
import type { OutputFormat, VariantName } from '../domain/renditions.ts';

/** A photo or document as clients see it (design §7). URLs are absolute, on the CDN. */
export interface Photo {
  readonly id: string;
  readonly kind: FileKind;
  readonly itemId: string | null;
  readonly ownerId: string;
  readonly state: FileState;
  readonly stage: Stage | null;
  /** Whether the original can be read at once; while it is not `none`, `variants` has no original. */
  readonly archive: ArchiveState;
  readonly position: number | null;
  readonly reason: {
    readonly code: string;
    readonly message: string;
    /** Of the list of reasons, where a person chose one. */
    readonly reasonCode?: string;
  } | null;
  /** Of one that was refused or waits again, for its owner and staff: how the last appeal went, how many more there may be. */
  readonly appeal?: { readonly outcome: 'open' | 'upheld' | 'refused' | null; readonly left: number };
  /** Codes; hints of the photo coach among them for owner and staff only. */
  readonly warnings: readonly string[];
  readonly alt: string | null;
  /** Of the sanitised original, upright; null until it is decoded. */
  readonly width: number | null;
  readonly height: number | null;
  /** Size of the sanitised original; of the upload until it is published. */
  readonly bytes: number | null;
  readonly format: OutputFormat | null;
  /** Hex, of the uploaded bytes; shown to owner and staff only, else null. */
  readonly sha256: string | null;
  /** Thumbhash, base64. */
  readonly placeholder: string | null;
  readonly createdAt: string;
  readonly publishedAt: string | null;
  readonly variants: Readonly<Partial<Record<VariantName, PhotoVariant>>>;
  readonly srcset: { readonly jpeg: string; readonly webp: string };
}

export interface PhotoVariant {
  /** The URL whose format is chosen by the Accept header. */
  readonly auto: string;
  readonly width: number;
  readonly height: number;
  readonly formats: Readonly<Partial<Record<OutputFormat, { readonly url: string; readonly bytes: number }>>>;
}

/** The answer to an upload: `created` once it is published, `accepted` while work goes on. */
export interface UploadAnswer {
  readonly status: 'created' | 'accepted';
  readonly photo: Photo;
  /** True when the same bytes were in the same listing already and that photo is the answer. */
  readonly duplicate: boolean;
}
