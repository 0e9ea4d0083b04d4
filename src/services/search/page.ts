import { z } from 'zod';
import { StorageError } from '../../domain/errors.ts';
import { isFileId } from '../../domain/ids.ts';
import type { PhotoHit } from '../../ports/search.ts';

const Marker = z.tuple([z.boolean(), z.number().nullable(), z.string().refine(isFileId)]);

/** Where a page of hits ended, as a text that clients hand back. */
export function pageMarker({ id, score }: PhotoHit, isLoose: boolean): string {
  return Buffer.from(JSON.stringify([isLoose, score, id])).toString('base64url');
}

/** Errors: INVALID_REQUEST for a text that is not one of ours. */
export function parsePageMarker(text: string): { readonly hit: PhotoHit; readonly isLoose: boolean } {
  try {
    const [isLoose, score, id] = Marker.parse(JSON.parse(Buffer.from(text, 'base64url').toString()));
    return { hit: { id, score }, isLoose };
  } catch (error) {
    throw new StorageError('INVALID_REQUEST', 'The page marker is not one that we gave.', { cause: error });
  }
}
