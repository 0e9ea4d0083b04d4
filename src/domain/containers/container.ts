import { readBmff } from './bmff.ts';
import { readJpeg } from './jpeg.ts';
import { type Container, MalformedContainer, viewOf } from './model.ts';
import { readPng } from './png.ts';
import { readWebp } from './webp.ts';

export { type Container, MalformedContainer, viewOf } from './model.ts';

/**
 * Takes a JPEG, PNG, WebP, HEIC or AVIF apart. The format is told by the bytes alone; null for anything else.
 * Never reads outside the bytes, and each step moves on.
 *
 * @throws {MalformedContainer} when it claims to be one of them and its header cannot be followed.
 */
export function readContainer(bytes: Uint8Array): Container | null {
  const buffer = viewOf(bytes);
  try {
    return readerFor(buffer)(buffer);
  } catch (error) {
    if (error instanceof RangeError) throw new MalformedContainer('ends inside a field', { cause: error });
    throw error;
  }
}

function readerFor(bytes: Buffer): (bytes: Buffer) => Container | null {
  if (bytes.length >= 3 && bytes.readUIntBE(0, 3) === 0xffd8ff) return readJpeg;
  if (bytes.length >= 8 && bytes.readUInt32BE(0) === 0x89504e47 && bytes.readUInt32BE(4) === 0x0d0a1a0a)
    return readPng;
  if (bytes.toString('latin1', 0, 4) === 'RIFF' && bytes.toString('latin1', 8, 12) === 'WEBP')
    return readWebp;
  if (bytes.toString('latin1', 4, 8) === 'ftyp') return readBmff;
  return () => null;
}
