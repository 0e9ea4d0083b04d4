import { LANDMARK_FREQUENCIES } from './landmark-frequencies.ts';

/**
 * The eight ways to lay a picture down on its sides, as bits: 4 its sides change places (rows become columns), then 2 it is
 * turned upside down like a mirror image in water, then 1 left for right.
 */
export const TURNS = [0, 1, 2, 3, 4, 5, 6, 7] as const;
export type Turn = (typeof TURNS)[number];

/** A turn in a person's words: mirrored left for right first, or not, then rotated clockwise. */
export interface TurnWords {
  readonly isMirrored: boolean;
  readonly rotatedBy: 0 | 90 | 180 | 270;
}

const WORDS: Readonly<Record<Turn, TurnWords>> = {
  0: { isMirrored: false, rotatedBy: 0 },
  1: { isMirrored: true, rotatedBy: 0 },
  2: { isMirrored: true, rotatedBy: 180 },
  3: { isMirrored: false, rotatedBy: 180 },
  4: { isMirrored: true, rotatedBy: 270 },
  5: { isMirrored: false, rotatedBy: 90 },
  6: { isMirrored: false, rotatedBy: 270 },
  7: { isMirrored: true, rotatedBy: 90 },
};

export function wordsOf(turn: Turn): TurnWords {
  return WORDS[turn];
}

/** The turn that undoes this one: each undoes itself but the two quarter turns, which undo each other. */
export function inverseOf(turn: Turn): Turn {
  return turn === 5 ? 6 : turn === 6 ? 5 : turn;
}

/** Which bit of a landmark each bit is taken from when sides change places. */
const SWAPPED = LANDMARK_FREQUENCIES.map(({ across, down }) =>
  LANDMARK_FREQUENCIES.findIndex((other) => other.across === down && other.down === across),
);
/** The bits that change when the picture is mirrored: each odd frequency changes its sign. */
const MIRRORED = maskOf(({ across }) => across % 2 === 1);
const UPSIDE_DOWN = maskOf(({ down }) => down % 2 === 1);

/** The landmark at the same place of the picture laid down so. */
export function turnedLandmark(bits: number, turn: Turn): number {
  const swapped = (turn & 4) === 0 ? bits : swap(bits);
  return swapped ^ ((turn & 2) === 0 ? 0 : UPSIDE_DOWN) ^ ((turn & 1) === 0 ? 0 : MIRRORED);
}

/** One number for a landmark, however the picture is laid down: the least of all eight. The database computes the same. */
export function landmarkClass(bits: number): number {
  const swapped = swap(bits);
  return Math.min(
    ...[bits, swapped].flatMap((way) => [
      way,
      way ^ MIRRORED,
      way ^ UPSIDE_DOWN,
      way ^ MIRRORED ^ UPSIDE_DOWN,
    ]),
  );
}

function swap(bits: number): number {
  return SWAPPED.reduce((all, from, to) => all | (((bits >> from) & 1) << to), 0);
}

function maskOf(isMeant: (frequency: (typeof LANDMARK_FREQUENCIES)[number]) => boolean): number {
  return LANDMARK_FREQUENCIES.reduce(
    (mask, frequency, bit) => (isMeant(frequency) ? mask | (1 << bit) : mask),
    0,
  );
}

/** Frequencies each way of a PDQ hash. */
const HASH_SIDE = 16;

/**
 * PDQ of the picture laid down so, but for a bit or two: each odd frequency changes its sign, and the median is near zero. Both
 * are text of 256 digits 0 or 1, the highest frequency first.
 */
export function turnedHash(bits: string, turn: Turn): string {
  return Array.from(bits, (_, at) => {
    const [row, column] = [Math.floor(at / HASH_SIDE), at % HASH_SIDE];
    const from = (turn & 4) === 0 ? at : column * HASH_SIDE + row;
    // Frequencies go from one to sixteen: the last, at 0, is even.
    const isOther = (Number((turn & 1) !== 0) & column & 1) ^ (Number((turn & 2) !== 0) & row & 1);
    return isOther === 1 ? (bits[from] === '1' ? '0' : '1') : bits[from];
  }).join('');
}

/** A square picture, a byte a pixel, laid down so. */
export function turnedLook(look: Uint8Array, turn: Turn): Uint8Array {
  const side = Math.sqrt(look.length);
  return look.map((_, at) => {
    const [row, column] = [Math.floor(at / side), at % side];
    const y = (turn & 2) === 0 ? row : side - 1 - row;
    const x = (turn & 1) === 0 ? column : side - 1 - column;
    return look[(turn & 4) === 0 ? y * side + x : x * side + y] ?? 0;
  });
}
