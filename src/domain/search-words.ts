/** Words of one text that count; the rest is passed over. */
const MOST_WORDS = 64;
const LONGEST_WORD = 64;

/**
 * The words of a text as both search engines get them: in small letters, without accents and punctuation, apart by one
 * blank. "Vélo-cargo, 26″" becomes "velo cargo 26".
 */
export function searchWords(text: string): string {
  const folded = text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase();
  return (folded.match(/[\p{L}\p{N}]+/gu) ?? [])
    .slice(0, MOST_WORDS)
    .map((word) => word.slice(0, LONGEST_WORD))
    .join(' ');
}

/**
 * Changes of one letter that a word of that length may be away from what was meant: none of the shortest, as OpenSearch's
 * `fuzziness: AUTO` has it.
 */
export function allowedEdits(word: string): number {
  const letters = [...word].length;
  return letters < 3 ? 0 : letters < 6 ? 1 : 2;
}

/** Letters that must be put in, left out, replaced or swapped with the next to make one word of the other. */
export function edits(a: string, b: string): number {
  const left = [...a];
  const right = [...b];
  let before: number[] = [];
  let last = right.map((_, index) => index + 1);
  last.unshift(0);
  for (let i = 1; i <= left.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= right.length; j += 1) {
      const isSame = left[i - 1] === right[j - 1];
      let least = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + (isSame ? 0 : 1));
      const isSwapped = i > 1 && j > 1 && left[i - 1] === right[j - 2] && left[i - 2] === right[j - 1];
      if (isSwapped) least = Math.min(least, (before[j - 2] ?? 0) + 1);
      row.push(least);
    }
    before = last;
    last = row;
  }
  return last[right.length] ?? 0;
}
