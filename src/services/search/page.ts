import { z } from 'zod';
import { isFileId } from '../../domain/ids.ts';
import type { PhotoHit } from '../../ports/search.ts';
import { pageMarker, parsePageMarker } from '../cursor.ts';

const Place = z.tuple([z.boolean(), z.number().nullable(), z.string().refine(isFileId)]);

/** Where a page of hits ended. */
export function hitMarker({ id, score }: PhotoHit, isLoose: boolean): string {
  return pageMarker([isLoose, score, id]);
}

/** Errors: INVALID_REQUEST for a text that is not one of ours. */
export function parseHitMarker(text: string): { readonly hit: PhotoHit; readonly isLoose: boolean } {
  const [isLoose, score, id] = parsePageMarker(text, Place);
  return { hit: { id, score }, isLoose };
}
