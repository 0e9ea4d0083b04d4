import { z } from 'zod';
import { StorageError } from '../domain/errors.ts';

/** Where a page ended, as a text that clients hand back. */
export function pageMarker(place: readonly unknown[]): string {
  return Buffer.from(JSON.stringify(place)).toString('base64url');
}

/** Errors: INVALID_REQUEST for a text that is not one of ours. */
export function parsePageMarker<T>(text: string, place: z.ZodType<T>): T {
  try {
    return place.parse(JSON.parse(Buffer.from(text, 'base64url').toString()));
  } catch (error) {
    throw new StorageError('INVALID_REQUEST', 'The page marker is not one that we gave.', { cause: error });
  }
}

/** A place in a list that is ordered by time and id. */
export function cursorOf(at: Date, id: string): string {
  return pageMarker([at.toISOString(), id]);
}

/** From 1970 on. */
const TIME = z
  .string()
  .transform((text) => new Date(text))
  .refine((at) => at.getTime() >= 0);

/** Errors: INVALID_REQUEST for a text that is not one of ours. */
export function parseCursor(text: string, isId: (id: string) => boolean): { at: Date; id: string } {
  const [at, id] = parsePageMarker(text, z.tuple([TIME, z.string().refine(isId)]));
  return { at, id };
}
