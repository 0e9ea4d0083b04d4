import { claimSize, mend } from './claims.ts';
import type { Sample } from './corpus.ts';
import { type Piece, piecesOf } from './pieces.ts';
import { type Random, randomOf } from './random.ts';

export interface Case {
  /** What was done to which file, for people. */
  readonly what: string;
  readonly bytes: Buffer;
}

const MAX_BYTES = 10 * 1024 * 1024;
const MAX_MUTATIONS = 4;
/** Documents pass by most of what is tried here. */
const ONE_DOCUMENT_IN = 6;
/** Most of what readers decide on stands at the front. */
const HEAD_BYTES = 4096;
/** Lengths, counts and offsets at the edges of their types. */
const EDGES = [
  0, 1, 2, 7, 8, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xffffffff,
];

type Mutation = (bytes: Buffer, random: Random, corpus: readonly Sample[]) => Buffer;

/** Case number `index` of a seed: the same bytes each time, as long as corpus and mutations are the same. */
export function makeCase(corpus: readonly Sample[], seed: number, index: number): Case {
  const random = randomOf(Math.imul(seed, 0x9e3779b1) ^ Math.imul(index + 1, 0x85ebca6b));
  const isDocument = random.below(ONE_DOCUMENT_IN) === 0;
  const sample = random.pick(corpus.filter(({ name }) => name.endsWith('.pdf') === isDocument));
  const names: string[] = [];
  let bytes = Buffer.from(sample.bytes);
  for (let left = 1 + random.below(MAX_MUTATIONS); left > 0; left -= 1) {
    const [name, mutate] = random.pick(Object.entries(MUTATIONS));
    names.push(name);
    bytes = Buffer.from(mutate(bytes, random, corpus).subarray(0, MAX_BYTES));
  }
  const isMended = random.below(2) === 0;
  return {
    what: `${sample.name}: ${names.join(', ')}${isMended ? ', mended' : ''}`,
    bytes: isMended ? mend(bytes) : bytes,
  };
}

const MUTATIONS: Readonly<Record<string, Mutation>> = {
  'flip bits': (bytes, random) => {
    for (let left = 1 + random.below(20); left > 0 && bytes.length > 0; left -= 1) {
      const at = random.below(random.below(2) === 0 ? Math.min(HEAD_BYTES, bytes.length) : bytes.length);
      bytes.writeUInt8(bytes.readUInt8(at) ^ (1 << random.below(8)), at);
    }
    return bytes;
  },
  'put in an edge': (bytes, random) => {
    const size = random.pick([1, 2, 4] as const);
    if (bytes.length < 4) return bytes;
    const at = random.below(Math.min(HEAD_BYTES, bytes.length - 3));
    const value = random.pick(EDGES) % 2 ** (8 * size);
    return write(bytes, at, size, random.below(2) === 0, value);
  },
  'claim another size': claimSize,
  truncate: (bytes, random) => bytes.subarray(0, random.below(bytes.length + 1)),
  'fill the end with zeros': (bytes, random) => bytes.fill(0, random.below(bytes.length + 1)),
  'edit a length': (bytes, random) => {
    const piece = pickPiece(bytes, random);
    if (piece === null) return bytes;
    const { at, size, isLittle } = piece.length;
    const now = isLittle ? bytes.readUIntLE(at, size) : bytes.readUIntBE(at, size);
    const value = random.below(2) === 0 ? random.pick(EDGES) : now + random.below(33) - 16;
    return write(bytes, at, size, isLittle, ((value % 2 ** (8 * size)) + 2 ** (8 * size)) % 2 ** (8 * size));
  },
  'double a piece': (bytes, random) => {
    const piece = pickPiece(bytes, random);
    if (piece === null) return bytes;
    const copy = bytes.subarray(piece.start, piece.end);
    const times = Math.min(1 + random.below(random.pick([2, 50, 2000])), Math.floor(MAX_BYTES / copy.length));
    return Buffer.concat([
      bytes.subarray(0, piece.end),
      ...Array<Buffer>(times).fill(copy),
      bytes.subarray(piece.end),
    ]);
  },
  'drop a piece': (bytes, random) => {
    const piece = pickPiece(bytes, random);
    return piece === null
      ? bytes
      : Buffer.concat([bytes.subarray(0, piece.start), bytes.subarray(piece.end)]);
  },
  'move a piece': (bytes, random) => {
    const [one, other] = [pickPiece(bytes, random), pickPiece(bytes, random)];
    if (one === null || other === null || one.start <= other.end) return bytes;
    const moved = bytes.subarray(one.start, one.end);
    return Buffer.concat([
      bytes.subarray(0, other.start),
      moved,
      bytes.subarray(other.start, one.start),
      bytes.subarray(one.end),
    ]);
  },
  'put in a piece of another file': (bytes, random, corpus) => {
    const other = random.pick(corpus).bytes;
    const [at, piece] = [pickPiece(bytes, random), pickPiece(other, random)];
    if (at === null || piece === null) return bytes;
    return Buffer.concat([
      bytes.subarray(0, at.end),
      other.subarray(piece.start, piece.end),
      bytes.subarray(at.end),
    ]);
  },
  'go on as another file': (bytes, random, corpus) => {
    const other = random.pick(corpus).bytes;
    return Buffer.concat([
      bytes.subarray(0, random.below(bytes.length + 1)),
      other.subarray(random.below(2) === 0 ? 0 : random.below(other.length)),
    ]);
  },
  'put in noise': (bytes, random) => {
    const at = random.below(bytes.length + 1);
    const noise = Buffer.from(Array.from({ length: random.below(64) }, () => random.below(256)));
    return Buffer.concat([bytes.subarray(0, at), noise, bytes.subarray(at)]);
  },
};

function pickPiece(bytes: Buffer, random: Random): Piece | null {
  const pieces = piecesOf(bytes);
  return pieces.length === 0 ? null : random.pick(pieces);
}

function write(bytes: Buffer, at: number, size: number, isLittle: boolean, value: number): Buffer {
  if (isLittle) bytes.writeUIntLE(value, at, size);
  else bytes.writeUIntBE(value, at, size);
  return bytes;
}
