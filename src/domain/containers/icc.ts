export interface IccProfile {
  /** `GRAY`, `RGB`, `CMYK` … */
  readonly space: string;
  /**
   * srgb: numbers mean what sRGB means, nothing to convert · wide: reaches colours outside sRGB (Display P3, Adobe
   * RGB) · other: to be converted, without more colours than sRGB.
   */
  readonly gamut: 'srgb' | 'wide' | 'other';
}

type Triple = readonly [number, number, number];

/** sRGB's colorants adapted to D50, as the ICC's own sRGB profile has them, and its half-way tone. */
const SRGB: { readonly red: Triple; readonly green: Triple; readonly blue: Triple } = {
  red: [0.4361, 0.2225, 0.0139],
  green: [0.3851, 0.7169, 0.0971],
  blue: [0.1431, 0.0606, 0.7139],
};
/** IEC 61966-2-1: value 0.5 is this much light. */
const SRGB_MIDDLE = 0.214;
/** Profiles round differently; Adobe RGB and P3 differ by 0.05 and more. */
const COLORANT_TOLERANCE = 0.004;
const MIDDLE_TOLERANCE = 0.01;

/** Reads as much of an ICC profile (ICC.1:2022) as tells whether pixels must be converted. Null when it is not one. */
export function readIcc(icc: Buffer): IccProfile | null {
  if (icc.length < 132 || icc.toString('latin1', 36, 40) !== 'acsp') return null;
  const space = icc.toString('latin1', 16, 20).trim();
  if (space !== 'RGB') return { space, gamut: 'other' };
  const tags = readTags(icc);
  const colorants = [tags.get('rXYZ'), tags.get('gXYZ'), tags.get('bXYZ')].map((tag) => readXyz(icc, tag));
  const [red, green, blue] = colorants;
  if (!red || !green || !blue) return { space, gamut: 'wide' }; // a table profile: convert, and say so
  const isSrgb = near(red, SRGB.red) && near(green, SRGB.green) && near(blue, SRGB.blue);
  if (!isSrgb)
    return {
      space,
      gamut: area(red, green, blue) > area(SRGB.red, SRGB.green, SRGB.blue) * 1.02 ? 'wide' : 'other',
    };
  const middle = readMiddle(icc, tags.get('gTRC'));
  const sameTone = middle !== null && Math.abs(middle - SRGB_MIDDLE) < MIDDLE_TOLERANCE;
  return { space, gamut: sameTone ? 'srgb' : 'other' };
}

/** Types of a tag that people read (ICC.1:2022, and `desc` of version 2). */
const TEXT_TYPES = new Set(['text', 'desc', 'mluc', 'utf8', 'dict']);

/** Whether a profile has sentences in it: a name, a copyright, a device and its maker. */
export function hasIccText(icc: Buffer): boolean {
  if (icc.length < 132) return false;
  return [...readTags(icc).values()].some((at) => TEXT_TYPES.has(icc.toString('latin1', at, at + 4)));
}

function readTags(icc: Buffer): Map<string, number> {
  const tags = new Map<string, number>();
  const count = Math.min(icc.readUInt32BE(128), 100);
  for (let at = 132; at < 132 + count * 12 && at + 12 <= icc.length; at += 12)
    tags.set(icc.toString('latin1', at, at + 4), icc.readUInt32BE(at + 4));
  return tags;
}

function readXyz(icc: Buffer, at: number | undefined): Triple | null {
  if (at === undefined || at + 20 > icc.length || icc.toString('latin1', at, at + 4) !== 'XYZ ') return null;
  return [fixed(icc, at + 8), fixed(icc, at + 12), fixed(icc, at + 16)];
}

/** How much light the middle value is, from a curve or a parametric curve. */
function readMiddle(icc: Buffer, at: number | undefined): number | null {
  if (at === undefined || at + 16 > icc.length) return null;
  const type = icc.toString('latin1', at, at + 4);
  if (type === 'curv') {
    const count = icc.readUInt32BE(at + 8);
    if (count === 0) return 0.5;
    if (count === 1) return 0.5 ** (icc.readUInt16BE(at + 12) / 256);
    const middle = at + 12 + 2 * Math.floor((count - 1) / 2);
    return middle + 2 <= icc.length ? icc.readUInt16BE(middle) / 65_535 : null;
  }
  if (type !== 'para' || at + 24 > icc.length) return null;
  const kind = icc.readUInt16BE(at + 8);
  const gamma = fixed(icc, at + 12);
  if (kind === 0) return 0.5 ** gamma;
  return (fixed(icc, at + 16) * 0.5 + fixed(icc, at + 20)) ** gamma;
}

/** s15Fixed16Number */
function fixed(icc: Buffer, at: number): number {
  return icc.readInt32BE(at) / 65_536;
}

function near(a: Triple, b: Triple): boolean {
  return a.every((value, index) => Math.abs(value - (b[index] ?? 0)) < COLORANT_TOLERANCE);
}

/** Twice the area of the triangle that the colorants span in the CIE 1931 chromaticity diagram. */
function area(...colorants: readonly [Triple, Triple, Triple]): number {
  const [a, b, c] = colorants.map(([x, y, z]) => ({ x: x / (x + y + z), y: y / (x + y + z) }));
  return a && b && c ? Math.abs((b.x - a.x) * (c.y - a.y) - (c.x - a.x) * (b.y - a.y)) : 0;
}
