/** A piece of a file that its format steps over by a length: where it begins, and where the next one does. */
export interface Piece {
  readonly start: number;
  readonly end: number;
  /** Where its length stands, and in how many bytes. */
  readonly length: { readonly at: number; readonly size: 2 | 4; readonly isLittle: boolean };
}

const MAX_PIECES = 300;
/** HEIF boxes that hold others, and how many bytes of their own come first. */
const PARENTS: Readonly<Record<string, number>> = { meta: 4, iprp: 0, ipco: 0, iinf: 6, iref: 4 };

/** Takes a whole file apart, in the plainest way: by hand, so that a fault of our parsers is not repeated. */
export function piecesOf(bytes: Buffer): readonly Piece[] {
  if (bytes.toString('latin1', 1, 4) === 'PNG') return walk(bytes, 8, 4, false, (length) => length + 12);
  if (bytes.toString('latin1', 0, 4) === 'RIFF')
    return walk(bytes, 12, 4, true, (length) => 8 + length + (length & 1), 4);
  if (bytes.toString('latin1', 4, 8) === 'ftyp') return boxes(bytes, 0, bytes.length);
  if (bytes.length > 2 && bytes.readUInt16BE(0) === 0xffd8)
    return walk(bytes, 2, 2, false, (length) => length + 2, 2);
  return [];
}

function walk(
  bytes: Buffer,
  from: number,
  size: 2 | 4,
  isLittle: boolean,
  whole: (length: number) => number,
  skip = 0,
): Piece[] {
  const pieces: Piece[] = [];
  for (let start = from; start + skip + size <= bytes.length && pieces.length < MAX_PIECES; ) {
    const at = start + skip;
    const value = isLittle ? bytes.readUIntLE(at, size) : bytes.readUIntBE(at, size);
    const end = start + whole(value);
    if (end > bytes.length || end <= start) break;
    pieces.push({ start, end, length: { at, size, isLittle } });
    start = end;
  }
  return pieces;
}

function boxes(bytes: Buffer, from: number, to: number): Piece[] {
  const own = walk(bytes.subarray(0, to), from, 4, false, (length) => length);
  return own.flatMap((piece) => {
    const inside = PARENTS[bytes.toString('latin1', piece.start + 4, piece.start + 8)];
    return inside === undefined ? [piece] : [piece, ...boxes(bytes, piece.start + 8 + inside, piece.end)];
  });
}
