import { crc32 } from 'node:zlib';
import { piecesOf } from './pieces.ts';
import type { Random } from './random.ts';

const SIZES = [0, 1, 2, 300, 3999, 4000, 4001, 7000, 16_383, 65_535];

/** Where a size in pixels stands: how a part begins, how far behind that, in how many bytes, and whether one less is written. */
const PLACES: readonly {
  readonly mark: Buffer;
  readonly behind: number;
  readonly size: 2 | 3 | 4;
  readonly isLittle: boolean;
}[] = [
  { mark: Buffer.from([0xff, 0xc0, 0, 17]), behind: 1, size: 2, isLittle: false },
  { mark: Buffer.from([0xff, 0xc2, 0, 17]), behind: 1, size: 2, isLittle: false },
  { mark: Buffer.from('IHDR'), behind: 0, size: 4, isLittle: false },
  { mark: Buffer.from('VP8X'), behind: 8, size: 3, isLittle: true },
  { mark: Buffer.from([0x9d, 0x01, 0x2a]), behind: 0, size: 2, isLittle: true },
  { mark: Buffer.from('ispe'), behind: 4, size: 4, isLittle: false },
];

/** Has the picture say that it is of another size, in one of the places where it says so. */
export function claimSize(bytes: Buffer, random: Random): Buffer {
  const found = PLACES.flatMap((place) => {
    const at = bytes.indexOf(place.mark);
    const from = at + place.mark.length + place.behind;
    return at < 0 || from + 2 * place.size > bytes.length ? [] : [{ ...place, from }];
  });
  if (found.length === 0) return bytes;
  const { from, size, isLittle } = random.pick(found);
  for (const at of random.pick([[from], [from + size], [from, from + size]])) {
    const value = random.pick(SIZES);
    if (isLittle) bytes.writeUIntLE(value, at, size);
    else bytes.writeUIntBE(value, at, size);
  }
  return bytes;
}

/** Makes checksums of PNG and the length of WebP right again: decoders would look no further. */
export function mend(bytes: Buffer): Buffer {
  if (bytes.toString('latin1', 0, 4) === 'RIFF' && bytes.length >= 12)
    bytes.writeUInt32LE(bytes.length - 8, 4);
  if (bytes.toString('latin1', 1, 4) !== 'PNG') return bytes;
  for (const { start, end } of piecesOf(bytes))
    bytes.writeUInt32BE(crc32(bytes.subarray(start + 4, end - 4)), end - 4);
  return bytes;
}
