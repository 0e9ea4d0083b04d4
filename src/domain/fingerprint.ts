import { LANDMARK_FREQUENCIES } from './landmark-frequencies.ts';
import { landmarkClass, type Turn, turnedHash, TURNS } from './turns.ts';

/** Sides of the small grey picture in a fingerprint, in pixels. */
export const LOOK_SIDE = 32;
/** Landmarks of a fingerprint at most. */
export const MOST_LANDMARKS = 32;

/** What a picture is recognised by when it has been scaled, compressed, cropped a little, framed, brightened or laid on a side. */
export interface Fingerprint {
  /** PDQ of the picture without its frame: 64 hex digits. */
  readonly hash: string;
  /** Of each landmark its 29 bits and, as masks, the three of them that are the least certain. */
  readonly landmarks: readonly (readonly [bits: number, first: number, second: number, third: number])[];
  /** The picture without its frame, grey, `LOOK_SIDE` square, a byte a pixel, base64. */
  readonly look: string;
}

const BAND_DIGITS = 16;
const BANDS = 256 / BAND_DIGITS;
/** Above every landmark's bits. */
export const FIRST_BAND = 2 ** LANDMARK_FREQUENCIES.length;
/** Of pictures that are nearly flat: found with each other, they would say nothing. */
const EMPTY_BANDS: ReadonlySet<string> = new Set(['0'.repeat(BAND_DIGITS), '1'.repeat(BAND_DIGITS)]);
/** Pictures with more landmarks are found by them on other sides, and by their hash as they are and mirrored only. */
const FEW_LANDMARKS = 16;
const UPRIGHT: readonly Turn[] = [0, 1];
/** Levels of grey (standard deviation) below which a picture shows nothing that it could be recognised by. */
const LEAST_SPREAD = 3;

/**
 * What is kept of a picture to find it by: its landmarks as they are, and the hash cut into 16 bands (multi-index hashing: hashes
 * of which few bits differ agree in some bands). A picture that shows nothing has none.
 */
export function storedTokens(print: Fingerprint): number[] {
  if (isBlank(print)) return [];
  return [...new Set([...bandsOf(hashBits(print.hash)), ...print.landmarks.map(([bits]) => bits)])];
}

/**
 * What the index is asked for: the classes of all landmarks, however they are read, and the bands of the hash of the picture as
 * it is and mirrored, where landmarks are few laid on each side.
 */
export function askedTokens(print: Fingerprint): number[] {
  if (isBlank(print)) return [];
  const hash = hashBits(print.hash);
  const sides = print.landmarks.length > FEW_LANDMARKS ? UPRIGHT : TURNS;
  return [
    ...new Set([
      ...print.landmarks.flatMap((landmark) => readingsOf(landmark).map(landmarkClass)),
      ...sides.flatMap((turn) => bandsOf(turnedHash(hash, turn))),
    ]),
  ];
}

/** The eight ways to read a landmark: each doubtful bit as it is, or the other way. */
export function readingsOf([bits, ...doubtful]: Fingerprint['landmarks'][number]): number[] {
  return doubtful.reduce((readings, mask) => readings.flatMap((way) => [way, way ^ mask]), [bits]);
}

/** A hash as text of 256 digits 0 or 1. */
export function hashBits(hash: string): string {
  return Array.from(hash, (digit) => Number.parseInt(digit, 16).toString(2).padStart(4, '0')).join('');
}

function bandsOf(hash: string): number[] {
  return Array.from({ length: BANDS }, (_, band) => hash.slice(band * BAND_DIGITS, (band + 1) * BAND_DIGITS))
    .map((digits, band) => ({ digits, band }))
    .filter(({ digits }) => !EMPTY_BANDS.has(digits))
    .map(({ digits, band }) => FIRST_BAND + band * 0x1_0000 + Number.parseInt(digits, 2));
}

function isBlank({ look }: Fingerprint): boolean {
  const pixels = Buffer.from(look, 'base64');
  const mean = pixels.reduce((sum, value) => sum + value, 0) / pixels.length;
  const spread = pixels.reduce((sum, value) => sum + (value - mean) ** 2, 0) / pixels.length;
  return Math.sqrt(spread) < LEAST_SPREAD;
}
