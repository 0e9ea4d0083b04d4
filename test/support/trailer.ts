import { endOfJpeg } from './jpeg.ts';

/** How many bytes lie behind the picture's own end, where anything may hide; 0 for unknown formats. */
export function trailingBytes(bytes: Buffer): number {
  const end = endOfPicture(bytes);
  return end === undefined ? 0 : Math.max(0, bytes.length - end);
}

function endOfPicture(bytes: Buffer): number | undefined {
  if (bytes.subarray(0, 2).equals(Buffer.from([0xff, 0xd8]))) return endOfJpeg(bytes);
  if (bytes.toString('latin1', 1, 4) === 'PNG') return endOfPng(bytes);
  if (bytes.toString('latin1', 0, 4) === 'RIFF') return endOfRiff(bytes);
  if (bytes.toString('latin1', 4, 8) === 'ftyp') return endOfBoxes(bytes);
  return undefined;
}

function endOfPng(bytes: Buffer): number | undefined {
  for (let at = 8; at + 12 <= bytes.length; ) {
    const type = bytes.toString('latin1', at + 4, at + 8);
    at += 12 + bytes.readUInt32BE(at);
    if (type === 'IEND') return at;
  }
  return undefined;
}

function endOfRiff(bytes: Buffer): number {
  const size = bytes.readUInt32LE(4);
  return 8 + size + (size % 2);
}

/** HEIC and AVIF: boxes follow each other; the first one that no still picture has is foreign. */
function endOfBoxes(bytes: Buffer): number {
  const known = new Set(['ftyp', 'meta', 'mdat', 'idat', 'free']);
  let at = 0;
  while (at + 8 <= bytes.length) {
    const size = bytes.readUInt32BE(at);
    if (size < 8 || at + size > bytes.length || !known.has(bytes.toString('latin1', at + 4, at + 8))) break;
    at += size;
  }
  return at;
}
