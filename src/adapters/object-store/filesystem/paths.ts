import { join } from 'node:path';
import type { ObjectKey } from '../../../domain/keys.ts';

/**
 * Where a key lives below the root, on any file system that people run this on:
 *
 * - `a/b.jpg` is the file `b.jpg` in the folder `a~`. The mark lets the keys `a` and `a/b.jpg` exist together.
 * - Everything but a–z, 0–9 and ! _ . ' ( ) @ = + , - is percent-encoded, capitals too, so that two keys stay
 *   two files where names are compared without case or where `:`, `*` and `|` are not allowed.
 * - A name over 200 characters is cut into folders marked `^` (file systems end at 255 bytes).
 * - `#` occurs in no encoded name; the store's own folders begin with it.
 */
export function objectPath(root: string, key: ObjectKey): string {
  const segments = key.split('/');
  const name = segments.pop() ?? '';
  return join(root, ...segments.map(folderPath), slicedPath(encodeSegment(name)));
}

/** The folder that holds every key beginning with these whole segments (`a/b`, or nothing for the root). */
export function folderOf(root: string, segments: readonly string[]): string {
  return join(root, ...segments.map(folderPath));
}

export const FOLDER_MARK = '~';
export const SLICE_MARK = '^';
export const TEMPORARY_FOLDER = '#tmp';
export const RESTORED_FOLDER = '#restored';
export const ASIDE_FOLDER = '#aside';

const SLICE = 200;
const UNSAFE = /[^a-z0-9!_.'()@=+,-]/g;
const ENCODED = /^(?:[a-z0-9!_.'()@=+,-]|%[0-9a-f]{2})+$/;
/** Names Windows keeps for devices, with or without an extension. */
const RESERVED = /^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)/;

function folderPath(segment: string): string {
  return slicedPath(encodeSegment(segment)) + FOLDER_MARK;
}

function slicedPath(encoded: string): string {
  if (encoded.length <= SLICE) return encoded;
  return join(encoded.slice(0, SLICE) + SLICE_MARK, slicedPath(encoded.slice(SLICE)));
}

function encodeSegment(segment: string): string {
  let encoded = segment.replace(UNSAFE, percent);
  if (RESERVED.test(encoded)) encoded = percent(encoded.charAt(0)) + encoded.slice(1);
  if (encoded.endsWith('.')) encoded = `${encoded.slice(0, -1)}${percent('.')}`;
  return encoded;
}

function percent(character: string): string {
  return `%${character.charCodeAt(0).toString(16).padStart(2, '0')}`;
}

/** The segment a whole encoded name stands for; null for a file that is not ours (`.DS_Store`, `Thumbs.db`). */
export function decodeSegment(encoded: string): string | null {
  if (!ENCODED.test(encoded)) return null;
  const segment = encoded.replace(/%([0-9a-f]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return encodeSegment(segment) === encoded ? segment : null;
}
