import { COLORS } from '#src/domain/colors.ts';
import { ORIENTATIONS, type PhotoDocument } from '#src/domain/photo-document.ts';
import { madeDocument } from '#test/support/photo-documents.ts';

/** Invented words: one of the first ten is in every photo's title, of a thousand others one, of fifty thousand one. */
const COMMON_WORDS = 10;
const MIDDLING_WORDS = 1000;
const RARE_WORDS = 50_000;

export const COMMON = (n: number) => word(n % COMMON_WORDS, 'o');
export const MIDDLING = (n: number) => word(scatter(n, MIDDLING_WORDS), 'a');
export const RARE = (n: number) => word(scatter(n, RARE_WORDS), 'u');

/** The same word with two of its letters swapped. */
export function misspelt(text: string): string {
  return `${text.slice(0, 3)}${text.slice(4, 5)}${text.slice(3, 4)}${text.slice(5)}`;
}

/** The document of photo `n`; ids rise with `n`, as those of photos do with time. */
export function inventedDocument(n: number): PhotoDocument {
  const color = COLORS[scatter(n, COLORS.length)] ?? 'grey';
  const other = COLORS[scatter(n + 7, COLORS.length)] ?? 'grey';
  return madeDocument({
    id: `019a8c6e-${hex(n >>> 16, 4)}-7${hex((n >>> 4) & 0xfff, 3)}-8000-${hex(n, 12)}`,
    itemId: `listing-${Math.floor(n / 10)}`,
    ownerId: `seller-${Math.floor(n / 50)}`,
    isPublic: n % 50 !== 0,
    category: `category ${n % 40}`,
    title: `${COMMON(n)} ${MIDDLING(n)} ${RARE(n)} hardly used`,
    alt: n % 3 === 0 ? `seen with ${MIDDLING(n + 5)}` : '',
    labels: [MIDDLING(n + 11), MIDDLING(n + 13)],
    colors: color === other ? [color] : [color, other],
    orientation: ORIENTATIONS[n % 10 === 0 ? 2 : n % 3 === 0 ? 1 : 0] ?? 'landscape',
    width: 800 + (n % 7) * 400,
    height: 600 + (n % 5) * 400,
    quality: n % 101,
  });
}

/** A number below `below`, the same each time, unlike its neighbours'. */
function scatter(n: number, below: number): number {
  return Math.imul(n + 1, 0x9e3779b1) % below < 0
    ? (Math.imul(n + 1, 0x9e3779b1) % below) + below
    : Math.imul(n + 1, 0x9e3779b1) % below;
}

const SYLLABLES = ['b', 'd', 'f', 'g', 'k', 'l', 'm', 'n', 'p', 'r', 's', 't', 'v', 'z'];

/** A word of its own for each number: four syllables with that vowel. */
function word(n: number, vowel: string): string {
  let rest = n;
  let made = '';
  for (let place = 0; place < 4; place += 1) {
    made += `${SYLLABLES[(rest + place) % SYLLABLES.length] ?? ''}${vowel}`;
    rest = Math.floor(rest / SYLLABLES.length);
  }
  return made;
}

function hex(n: number, digits: number): string {
  return (n >>> 0).toString(16).padStart(digits, '0').slice(-digits);
}
