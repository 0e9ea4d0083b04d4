import { StorageError } from '../domain/errors.ts';

/** A place in a list that is ordered by time and id, as a text that clients hand back. */
export function cursorOf(at: Date, id: string): string {
  return Buffer.from(JSON.stringify([at.toISOString(), id])).toString('base64url');
}

/** Errors: INVALID_REQUEST for a text that is not one of ours. */
export function parseCursor(text: string, isId: (id: string) => boolean): { at: Date; id: string } {
  const parsed: unknown = safeJson(Buffer.from(text, 'base64url').toString());
  const [time, id]: unknown[] = Array.isArray(parsed) ? parsed : [];
  const at = new Date(typeof time === 'string' ? time : '');
  if (typeof id !== 'string' || !isId(id) || !(at.getTime() >= 0))
    throw new StorageError('INVALID_REQUEST', 'The page marker is not one that we gave.');
  return { at, id };
}

function safeJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
