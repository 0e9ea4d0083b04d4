/** Who saw it: a model, nobody (the checks could not be made), the reader of texts and codes, fingerprints, a buyer. */
export const FINDING_SOURCES = ['moderation', 'unchecked', 'contact', 'fingerprint', 'report'] as const;
export type FindingSource = (typeof FINDING_SOURCES)[number];

/** A part of a photo, in fractions (0–1) of the upright original. */
export interface Region {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** One thing that was seen in a photo. */
export interface Finding {
  readonly source: FindingSource;
  readonly label: string;
  /** 0–1; null where the source knows none. */
  readonly confidence: number | null;
  /** Null when it is about the whole photo, or the place is not known. */
  readonly region: Region | null;
  readonly model: string | null;
  readonly version: string | null;
  readonly details: Readonly<Record<string, unknown>>;
}

/** What a source knows no confidence of is certain. */
export function withConfidence<F extends Finding>(finding: F): F & { readonly confidence: number } {
  return { ...finding, confidence: finding.confidence ?? 1 };
}
