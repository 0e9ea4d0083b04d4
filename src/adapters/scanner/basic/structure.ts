import { readContainer } from '../../../domain/containers/container.ts';

/** How files begin that have no business in or behind a photo: signature in Latin-1 → name. */
const SIGNATURES: readonly (readonly [signature: string, name: string])[] = [
  ['PK\x03\x04', 'Archive.Zip'],
  ['PK\x05\x06', 'Archive.Zip'],
  ['Rar!\x1a\x07', 'Archive.Rar'],
  ['7z\xbc\xaf\x27\x1c', 'Archive.7z'],
  ['\x1f\x8b\x08', 'Archive.Gzip'],
  ['\xfd7zXZ\x00', 'Archive.Xz'],
  ['BZh', 'Archive.Bzip2'],
  ['\x28\xb5\x2f\xfd', 'Archive.Zstandard'],
  ['MSCF', 'Archive.Cabinet'],
  ['\x7fELF', 'Program.Elf'],
  ['MZ', 'Program.Windows'],
  ['\xfe\xed\xfa\xce', 'Program.MachO'],
  ['\xfe\xed\xfa\xcf', 'Program.MachO'],
  ['\xce\xfa\xed\xfe', 'Program.MachO'],
  ['\xcf\xfa\xed\xfe', 'Program.MachO'],
  ['\xca\xfe\xba\xbe', 'Program.MachO'],
  ['\xca\xfe\xba\xbf', 'Program.MachO'],
  ['#!', 'Program.Script'],
];
/** Signatures of so many bytes do not come about by chance: they are looked for everywhere behind the end. */
const CERTAIN_BYTES = 6;
/** A tar archive names itself in the middle of its first header. */
const TAR = { at: 257, magic: 'ustar' };
const PDF_END = '%%EOF';
const ZIP_END = Buffer.from('PK\x05\x06', 'latin1');
const ZIP_END_BYTES = 22;
const ZIP_COMMENT_BYTES = 0xffff;
/** Pictures behind the picture that are stepped over: phones write up to about five. */
const MAX_PICTURES = 100;
/** Bytes that pad the end of a picture: zeros and white space. */
const PADDING = new Set([0x00, 0x09, 0x0a, 0x0d, 0x20]);

/**
 * Names what an image or a PDF hides behind its end, or what a file that is neither begins with; null when there is
 * nothing. Pictures behind the picture (multi-picture format) are stepped over, since phones write them.
 */
export function findForeignContent(bytes: Buffer): string | null {
  const end = endOfImage(bytes) ?? endOfPdf(bytes);
  if (end === null) return nameOf('Basic', bytes);
  const behind = bytes.subarray(end);
  let rest = behind;
  for (let pictures = 0; ; pictures += 1) {
    rest = withoutPadding(rest);
    const found = nameOf('Basic.Appended', rest);
    if (found !== null) return found;
    const next = endOfImage(rest);
    if (next === null || next === 0) break;
    if (pictures === MAX_PICTURES) return 'Basic.Appended.TooManyPictures';
    rest = rest.subarray(next);
  }
  if (endsAsZip(rest)) return 'Basic.Appended.Archive.Zip';
  const certain = SIGNATURES.filter(([signature]) => signature.length >= CERTAIN_BYTES);
  const inside = certain.find(([signature]) => behind.includes(signature, 0, 'latin1'));
  return inside === undefined ? null : `Basic.Appended.${inside[1]}`;
}

/** Behind the last end mark; null when the bytes are no PDF, or one without it. */
function endOfPdf(bytes: Buffer): number | null {
  if (bytes.toString('latin1', 0, 5) !== '%PDF-') return null;
  const at = bytes.lastIndexOf(PDF_END, undefined, 'latin1');
  return at < 0 ? null : at + PDF_END.length;
}

/** Null when the bytes are no image, or one without an end. */
function endOfImage(bytes: Buffer): number | null {
  try {
    return readContainer(bytes)?.end ?? null;
  } catch {
    return null;
  }
}

function withoutPadding(bytes: Buffer): Buffer {
  let from = 0;
  while (from < bytes.length && PADDING.has(bytes.readUInt8(from))) from += 1;
  return bytes.subarray(from);
}

function nameOf(prefix: string, bytes: Buffer): string | null {
  if (bytes.toString('latin1', TAR.at, TAR.at + TAR.magic.length) === TAR.magic)
    return `${prefix}.Archive.Tar`;
  const found = SIGNATURES.find(([signature]) => bytes.toString('latin1', 0, signature.length) === signature);
  return found === undefined ? null : `${prefix}.${found[1]}`;
}

/** A ZIP is read from its end: an end record whose comment reaches exactly to the end of the file is one. */
function endsAsZip(bytes: Buffer): boolean {
  const from = Math.max(0, bytes.length - ZIP_END_BYTES - ZIP_COMMENT_BYTES);
  for (let at = bytes.indexOf(ZIP_END, from); at >= 0; at = bytes.indexOf(ZIP_END, at + 1))
    if (
      at + ZIP_END_BYTES <= bytes.length &&
      at + ZIP_END_BYTES + bytes.readUInt16LE(at + 20) === bytes.length
    )
      return true;
  return false;
}
