import type { PhotoFactsRow } from '../../db/search-documents.ts';
import type { Color } from '../../domain/colors.ts';
import { type PhotoDocument, photoDocument } from '../../domain/photo-document.ts';

/** Reads the dominant colors of a photo from its placeholder. */
export type ReadColors = (placeholder: string) => readonly Color[];

/** The document of a photo as its rows have it; null when it belongs into no index. */
export function documentOf(facts: PhotoFactsRow, readColors: ReadColors): PhotoDocument | null {
  const { placeholder, ...rest } = facts;
  return photoDocument(rest, placeholder === null ? [] : readColors(placeholder));
}
