import { addTo, type Container, MalformedContainer, type Part } from './model.ts';

const SOS = 0xda;
const EOI = 0xd9;
/** Encoders write up to about ten; each one costs a decoder a pass over the whole picture, however few bytes it has. */
const MAX_SCANS = 100;
/** DHT, JPG and DAC lie in the range of the frame headers without being any. */
const NOT_FRAMES = new Set([0xc4, 0xc8, 0xcc]);
const NAMES: Readonly<Record<number, string>> = {
  0xc4: 'DHT',
  0xdb: 'DQT',
  0xdd: 'DRI',
  0xfe: 'COM',
  [SOS]: 'SOS',
};
/** What an application segment begins with → what it is called here. */
const APPLICATIONS: readonly (readonly [marker: number, signature: string, name: string])[] = [
  [0xe0, 'JFIF\0', 'APP0:JFIF'],
  [0xe1, 'Exif\0', 'APP1:Exif'],
  [0xe1, 'http://ns.adobe.com/xap/1.0/\0', 'APP1:XMP'],
  [0xe1, 'http://ns.adobe.com/xmp/extension/\0', 'APP1:XMP-extension'],
  [0xe2, 'ICC_PROFILE\0', 'APP2:ICC'],
  [0xe2, 'MPF\0', 'APP2:MPF'],
  [0xe2, 'urn:iso:std:iso:ts:21496:-1\0', 'APP2:gain-map'],
  [0xed, 'Photoshop 3.0\0', 'APP13:Photoshop'],
  [0xee, 'Adobe', 'APP14:Adobe'],
];

/** Reads markers as ITU-T T.81 annex B lays them out, through every scan to the end of the image. */
export function readJpeg(bytes: Buffer): Container {
  const { parts, end } = walk(bytes);
  const frame = parts.find((part) => part.name.startsWith('SOF'));
  if (frame === undefined || frame.end - frame.start < 6) throw new MalformedContainer('has no frame header');
  const content = (name: string, skip: number) =>
    parts.filter((part) => part.name === name).map((part) => bytes.subarray(part.start + skip, part.end));
  const profile = content('APP2:ICC', 14); // behind the signature: number of the chunk, number of chunks
  return {
    format: 'jpeg',
    width: bytes.readUInt16BE(frame.start + 3),
    height: bytes.readUInt16BE(frame.start + 1),
    bitDepth: bytes.readUInt8(frame.start),
    hasAlpha: false,
    isCmyk: bytes.readUInt8(frame.start + 5) === 4,
    frames: 1,
    parts,
    end,
    exif: content('APP1:Exif', 6),
    // An extension has the packet's id, its length and the place of this piece behind the signature.
    xmp: [...content('APP1:XMP', 29), ...joined(content('APP1:XMP-extension', 35 + 40))],
    resources: joined(content('APP13:Photoshop', 14)),
    icc: profile.length > 0 ? Buffer.concat(profile) : null,
    primaries: null,
    selfOriented: false,
  };
}

function joined(pieces: readonly Buffer[]): Buffer[] {
  return pieces.length === 0 ? [] : [Buffer.concat(pieces)];
}

function walk(bytes: Buffer): { parts: Part[]; end: number | null } {
  const parts: Part[] = [];
  let at = 2;
  let scans = 0;
  let inScan = false;
  for (;;) {
    const next = nextMarker(bytes, at, inScan);
    if (next === null) return { parts, end: null };
    if (!inScan && next > at) addTo(parts, { name: 'stray bytes', start: at, end: next });
    const marker = bytes.readUInt8(next + 1);
    if (marker === EOI) return { parts, end: next + 2 };
    if (next + 4 > bytes.length) return { parts, end: null };
    const end = next + 2 + bytes.readUInt16BE(next + 2);
    if (end > bytes.length || end < next + 4) return { parts, end: null };
    addTo(parts, { name: nameOf(bytes, marker, next + 4, end), start: next + 4, end });
    inScan = marker === SOS;
    if (inScan) scans += 1;
    if (scans > MAX_SCANS) throw new MalformedContainer('has too many scans');
    at = end;
  }
}

/** Offset of the next 0xFF that begins a marker. In a scan, stuffed zeros and restart markers are data. */
function nextMarker(bytes: Buffer, from: number, inScan: boolean): number | null {
  let at = bytes.indexOf(0xff, from);
  while (at >= 0 && at + 1 < bytes.length) {
    const code = bytes.readUInt8(at + 1);
    const isData = code === 0 || (inScan && code >= 0xd0 && code <= 0xd7);
    if (code !== 0xff && !isData) return at;
    at = bytes.indexOf(0xff, code === 0xff ? at + 1 : at + 2);
  }
  return null;
}

function nameOf(bytes: Buffer, marker: number, start: number, end: number): string {
  if (marker >= 0xe0 && marker <= 0xef) return applicationName(bytes, marker, start, end);
  if (marker >= 0xc0 && marker <= 0xcf && !NOT_FRAMES.has(marker)) return `SOF${marker - 0xc0}`;
  return NAMES[marker] ?? `0x${marker.toString(16)}`;
}

function applicationName(bytes: Buffer, marker: number, start: number, end: number): string {
  const found = APPLICATIONS.find(
    ([of, signature]) =>
      of === marker && bytes.toString('latin1', start, start + signature.length) === signature,
  );
  if (found === undefined) return `APP${marker - 0xe0}`;
  // A JFIF header is 14 bytes; what is longer holds a thumbnail.
  return found[2] === 'APP0:JFIF' && end - start !== 14 ? 'APP0:JFIF-thumbnail' : found[2];
}
