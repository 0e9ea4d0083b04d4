import { inflateSync } from 'node:zlib';
import type { Part } from './model.ts';

/** What is unpacked of all texts of a file; what lies behind it stays packed, and its part is still named. */
const MAX_UNPACKED_BYTES = 8 << 20;

export interface PngTexts {
  readonly exif: readonly Buffer[];
  readonly xmp: readonly Buffer[];
  readonly resources: readonly Buffer[];
}

/**
 * Metadata that PNG keeps in its text chunks: XMP under a keyword of its own, and EXIF, XMP and IPTC as ImageMagick and
 * exiftool write them, hexadecimal and usually packed. Broken texts read as absent.
 */
export function readPngTexts(bytes: Buffer, parts: readonly Part[]): PngTexts {
  const found: { exif: Buffer[]; xmp: Buffer[]; resources: Buffer[] } = { exif: [], xmp: [], resources: [] };
  let left = MAX_UNPACKED_BYTES;
  for (const part of parts) {
    const [chunk = '', profile] = part.name.split(':');
    if (profile === undefined || left <= 0) continue;
    const text = textOf(chunk, bytes.subarray(part.start, part.end), left);
    if (text === null) continue;
    left -= text.length;
    const isPlain = text.includes('<') && profile === 'xmp';
    const content = isPlain ? text : fromHex(text);
    if (profile === 'xmp') found.xmp.push(content);
    else if (profile === 'iptc' || profile === '8bim') found.resources.push(content);
    else if (content.toString('latin1', 0, 4) === 'Exif') found.exif.push(content.subarray(6));
    else if (content.toString('latin1', 0, 4) === 'http') found.xmp.push(content);
    else found.exif.push(content);
  }
  return found;
}

/** The text of a chunk behind its keyword (PNG specification, third edition, 11.3.3). */
function textOf(chunk: string, content: Buffer, limit: number): Buffer | null {
  const keywordEnd = content.indexOf(0);
  if (keywordEnd < 0) return null;
  if (chunk === 'tEXt') return content.subarray(keywordEnd + 1);
  if (chunk === 'zTXt') return unpacked(content.subarray(keywordEnd + 2), limit);
  const isPacked = content[keywordEnd + 1] === 1;
  const languageEnd = content.indexOf(0, keywordEnd + 3);
  const translatedEnd = languageEnd < 0 ? -1 : content.indexOf(0, languageEnd + 1);
  if (translatedEnd < 0) return null;
  const text = content.subarray(translatedEnd + 1);
  return isPacked ? unpacked(text, limit) : text;
}

function unpacked(packed: Buffer, limit: number): Buffer | null {
  try {
    return inflateSync(packed, { maxOutputLength: limit });
  } catch {
    return null;
  }
}

/** `\nexif\n    1234\n` and then the bytes in hexadecimal, broken into lines. */
function fromHex(text: Buffer): Buffer {
  const head = /^\s*[a-z0-9]+\s+\d+\s/i.exec(text.toString('latin1', 0, 60))?.[0] ?? '';
  return Buffer.from(text.toString('latin1', head.length).replaceAll(/\s/g, ''), 'hex');
}
