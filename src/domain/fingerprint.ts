/** Frequencies, across and down, whose signs are the bits of a landmark: the lower ones of 6 × 6, without the constant one. */
export const LANDMARK_FREQUENCIES: readonly { readonly across: number; readonly down: number }[] = Array.from(
  { length: 36 },
  (_, index) => ({ across: index % 6, down: Math.floor(index / 6) }),
).filter(({ across, down }) => across + down > 0 && across + down <= 7);
/** Sides of the small grey picture in a fingerprint, in pixels. */
export const LOOK_SIDE = 32;
/** Landmarks of a fingerprint at most. */
export const MOST_LANDMARKS = 32;

/** What a picture is recognised by when it has been scaled, compressed, cropped a little, framed, brightened or mirrored. */
export interface Fingerprint {
  /** PDQ of the picture without its frame: 64 hex digits. */
  readonly hash: string;
  /** Of each landmark its 29 bits and, as masks, the two of them that are the least certain. */
  readonly landmarks: readonly (readonly [bits: number, doubtful: number, doubtfulToo: number])[];
  /** The picture without its frame, grey, `LOOK_SIDE` square, a byte a pixel, base64. */
  readonly look: string;
}

const BAND_DIGITS = 4;
const BANDS = 64 / BAND_DIGITS;
/** Above every landmark's bits. */
const FIRST_BAND = 2 ** LANDMARK_FREQUENCIES.length;
/** Of pictures that are nearly flat: found with each other, they would say nothing. */
const EMPTY_BANDS: ReadonlySet<string> = new Set(['0000', 'ffff']);
/** Levels of grey (standard deviation) below which a picture shows nothing that it could be recognised by. */
const LEAST_SPREAD = 3;

/**
 * What the index holds of a picture: its landmarks as they are, and the hash cut into 16 bands (multi-index hashing: hashes
 * of which few bits differ agree in some band). A picture that shows nothing has none.
 */
export function storedTokens(print: Fingerprint): number[] {
  if (isBlank(print)) return [];
  return [...new Set([...bandsOf(print.hash), ...print.landmarks.map(([bits]) => bits)])];
}

/** What the index is asked for: as the picture is and mirrored, with either or both doubtful bits the other way. */
export function askedTokens(print: Fingerprint): { landmarks: number[]; bands: number[] } {
  if (isBlank(print)) return { landmarks: [], bands: [] };
  const landmarks = print.landmarks.flatMap(([bits, one, other]) =>
    [bits, bits ^ MIRRORED_LANDMARK].flatMap((way) => [way, way ^ one, way ^ other, way ^ one ^ other]),
  );
  return {
    landmarks: [...new Set(landmarks)],
    bands: [...new Set([...bandsOf(print.hash), ...bandsOf(mirroredHash(print.hash))])],
  };
}

/** Of the mirrored picture, but for a bit or two: each odd frequency across changes its sign, and the median is near zero. */
export function mirroredHash(hash: string): string {
  return Array.from(hash, (digit) => (Number.parseInt(digit, 16) ^ MIRRORED_DIGIT).toString(16)).join('');
}

/** Frequencies of a hash go from one on: bits 0 and 2 of each digit are odd ones. */
const MIRRORED_DIGIT = 0b0101;

/** The bits of a landmark that change when the picture is mirrored. */
const MIRRORED_LANDMARK = LANDMARK_FREQUENCIES.reduce(
  (mask, { across }, bit) => (across % 2 === 1 ? mask | (1 << bit) : mask),
  0,
);

function bandsOf(hash: string): number[] {
  return Array.from({ length: BANDS }, (_, band) => hash.slice(band * BAND_DIGITS, (band + 1) * BAND_DIGITS))
    .map((digits, band) => ({ digits, band }))
    .filter(({ digits }) => !EMPTY_BANDS.has(digits))
    .map(({ digits, band }) => FIRST_BAND + band * 0x1_0000 + Number.parseInt(digits, 16));
}

function isBlank({ look }: Fingerprint): boolean {
  const pixels = Buffer.from(look, 'base64');
  const mean = pixels.reduce((sum, value) => sum + value, 0) / pixels.length;
  const spread = pixels.reduce((sum, value) => sum + (value - mean) ** 2, 0) / pixels.length;
  return Math.sqrt(spread) < LEAST_SPREAD;
}
