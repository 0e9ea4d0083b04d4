import { METADATA_WORDS, type RemovedKind } from '../../../src/domain/metadata.ts';

/** Said first, and how: what people fear most. The others are counted. */
const SHOWN_FIRST = 2;

/** Each kind in plain words; one that this page does not know yet is left out. */
export function removedWords(kinds: readonly string[]): readonly string[] {
  return kinds.filter(isKind).map((kind) => METADATA_WORDS[kind]);
}

/** "Location, camera details and 3 more were removed." */
export function removedSentence(removed: readonly string[], outputs: readonly { clean: boolean }[]): string {
  if (outputs.length === 0) return 'Nothing was made of this photo yet.';
  if (outputs.some(({ clean }) => !clean))
    return 'We could not prove this for every file of the photo. Please contact support.';
  const words = removedWords(removed);
  if (words.length === 0) return 'There was no private data in this photo.';
  const rest = words.length - SHOWN_FIRST;
  const parts = rest > 0 ? [...words.slice(0, SHOWN_FIRST), `${rest} more`] : words;
  const list = parts.length === 1 ? (parts[0] ?? '') : `${parts.slice(0, -1).join(', ')} and ${parts.at(-1)}`;
  const isOne = parts.length === 1 && !list.endsWith('s');
  return `${list.charAt(0).toUpperCase()}${list.slice(1)} ${isOne ? 'was' : 'were'} removed.`;
}

function isKind(kind: string): kind is RemovedKind {
  return Object.hasOwn(METADATA_WORDS, kind);
}
