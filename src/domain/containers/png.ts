import { inflateSync } from 'node:zlib';
import { addTo, type Container, MalformedContainer, type Part } from './model.ts';
import { readPngTexts } from './png-texts.ts';

/** Colour types with an alpha channel: grey and RGB. */
const WITH_ALPHA = new Set([4, 6]);
const TEXTS = new Set(['tEXt', 'zTXt', 'iTXt']);
/** The largest profile worth reading; CMYK press profiles, which PNG cannot use, reach 2 MB. */
const MAX_PROFILE_BYTES = 4 << 20;

/** Reads chunks as the PNG specification (W3C, third edition) lays them out. Checksums are left to the decoder. */
export function readPng(bytes: Buffer): Container {
  const { parts, end } = walk(bytes);
  const header = parts[0];
  if (header?.name !== 'IHDR' || header.end - header.start !== 13)
    throw new MalformedContainer('does not begin with its header');
  const texts = readPngTexts(bytes, parts);
  const animation = parts.find((part) => part.name === 'acTL');
  return {
    format: 'png',
    width: bytes.readUInt32BE(header.start),
    height: bytes.readUInt32BE(header.start + 4),
    bitDepth: bytes.readUInt8(header.start + 8),
    hasAlpha: WITH_ALPHA.has(bytes.readUInt8(header.start + 9)) || parts.some((part) => part.name === 'tRNS'),
    isCmyk: false,
    frames: animation === undefined ? 1 : Math.max(1, bytes.readUInt32BE(animation.start)),
    parts,
    end,
    exif: [
      ...parts.filter((part) => part.name === 'eXIf').map((part) => bytes.subarray(part.start, part.end)),
      ...texts.exif,
    ],
    xmp: texts.xmp,
    resources: texts.resources,
    // Unpacked when it is asked for: who only wants the end of many pictures does not pay for their profiles.
    get icc() {
      return profileOf(bytes, parts);
    },
    primaries: null,
    selfOriented: false,
  };
}

function walk(bytes: Buffer): { parts: Part[]; end: number | null } {
  const parts: Part[] = [];
  for (let at = 8; at + 12 <= bytes.length; ) {
    const start = at + 8;
    const end = start + bytes.readUInt32BE(at);
    if (end + 4 > bytes.length) break;
    const type = bytes.toString('latin1', at + 4, start);
    addTo(parts, {
      name: TEXTS.has(type) ? textName(bytes, type, start, end) : type,
      start,
      end,
    });
    at = end + 4;
    if (type === 'IEND') return { parts, end: at };
  }
  return { parts, end: null };
}

/** XMP has a keyword of its own; ImageMagick keeps EXIF, IPTC and XMP under its own ones. */
function textName(bytes: Buffer, type: string, start: number, end: number): string {
  const keyword = bytes.toString('latin1', start, Math.min(end, start + 40));
  if (keyword.startsWith('XML:com.adobe.xmp\0')) return `${type}:xmp`;
  const profile = /^Raw profile type (exif|app1|iptc|8bim|xmp)\0/i.exec(keyword)?.[1];
  return profile === undefined ? type : `${type}:${profile.toLowerCase()}`;
}

function profileOf(bytes: Buffer, parts: readonly Part[]): Buffer | null {
  const part = parts.find(({ name }) => name === 'iCCP');
  if (part === undefined) return null;
  const nameEnd = bytes.indexOf(0, part.start);
  if (nameEnd < 0 || nameEnd + 2 > part.end) return null;
  try {
    return inflateSync(bytes.subarray(nameEnd + 2, part.end), { maxOutputLength: MAX_PROFILE_BYTES });
  } catch {
    return null; // decoders ignore a broken profile as well
  }
}
