import { addTo, type Container, MalformedContainer, type Part } from './model.ts';

const ALPHA_FLAG = 0x10;

/** Reads chunks as RFC 9649 lays them out. */
export function readWebp(bytes: Buffer): Container {
  const { parts, end } = walk(bytes);
  const first = parts[0];
  const facts = first === undefined ? null : readHeader(bytes, first);
  if (facts === null) throw new MalformedContainer('does not begin with a picture');
  const content = (name: string) =>
    parts.filter((part) => part.name === name).map((part) => bytes.subarray(part.start, part.end));
  return {
    format: 'webp',
    ...facts,
    bitDepth: 8,
    isCmyk: false,
    frames: Math.max(1, parts.filter((part) => part.name === 'ANMF').length),
    parts,
    end,
    // Some writers keep JPEG's signature in front of the TIFF header.
    exif: content('EXIF').map((exif) => (exif.toString('latin1', 0, 4) === 'Exif' ? exif.subarray(6) : exif)),
    xmp: content('XMP'),
    resources: [],
    icc: content('ICCP')[0] ?? null,
    primaries: null,
    selfOriented: false,
  };
}

function walk(bytes: Buffer): { parts: Part[]; end: number | null } {
  const size = 8 + bytes.readUInt32LE(4);
  const limit = Math.min(size, bytes.length);
  const parts: Part[] = [];
  for (let at = 12; at + 8 <= limit; ) {
    const start = at + 8;
    const end = start + bytes.readUInt32LE(at + 4);
    if (end > limit) return { parts: [...parts, partAt(bytes, at, limit)], end: null };
    addTo(parts, partAt(bytes, at, end));
    at = end + (end & 1);
  }
  return { parts, end: size > bytes.length ? null : size };
}

function partAt(bytes: Buffer, at: number, end: number): Part {
  return { name: bytes.toString('latin1', at, at + 4).trimEnd(), start: at + 8, end };
}

function readHeader(bytes: Buffer, part: Part): { width: number; height: number; hasAlpha: boolean } | null {
  const at = part.start;
  if (part.name === 'VP8X')
    return {
      width: bytes.readUIntLE(at + 4, 3) + 1,
      height: bytes.readUIntLE(at + 7, 3) + 1,
      hasAlpha: (bytes.readUInt8(at) & ALPHA_FLAG) !== 0,
    };
  if (part.name === 'VP8L' && bytes.readUInt8(at) === 0x2f) {
    const bits = bytes.readUInt32LE(at + 1);
    return {
      width: (bits & 0x3fff) + 1,
      height: ((bits >>> 14) & 0x3fff) + 1,
      hasAlpha: (bits & (1 << 28)) !== 0,
    };
  }
  if (part.name === 'VP8' && bytes.readUIntBE(at + 3, 3) === 0x9d012a)
    return {
      width: bytes.readUInt16LE(at + 6) & 0x3fff,
      height: bytes.readUInt16LE(at + 8) & 0x3fff,
      hasAlpha: false,
    };
  return null;
}
