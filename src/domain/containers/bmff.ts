import { boxAt, boxesIn, type Box, cursor } from './boxes.ts';
import { type Item, readItems } from './items.ts';
import { addTo, type Container, MalformedContainer, type Part } from './model.ts';

/** Boxes that a still picture, a live photo or a sequence has at its top level; anything else lies behind the image. */
const TOP_LEVEL = new Set([
  'ftyp',
  'meta',
  'mdat',
  'idat',
  'free',
  'skip',
  'moov',
  'moof',
  'mfra',
  'uuid',
  'mpvd',
]);
const CODECS: Readonly<Record<string, 'heic' | 'avif'>> = { hvc1: 'heic', hev1: 'heic', av01: 'avif' };
const XMP_TYPE = 'application/rdf+xml';
/** Files name about ten brands of four bytes. */
const BRANDS_BYTES = 1024;
const SEQUENCE_BRANDS = new Set(['msf1', 'hevc', 'hevx', 'avis']);

/**
 * Reads HEIC and AVIF as HEIF (ISO/IEC 23008-12) lays them out; which of the two it is, the codec of the primary
 * item tells, not the brand. Null for other files of the family (video, other codecs).
 */
export function readBmff(bytes: Buffer): Container | null {
  const { boxes, end } = topLevel(bytes);
  const meta = boxes.find((box) => box.type === 'meta');
  if (meta === undefined) return null;
  const items = readItems(bytes, meta);
  const primary = items.find((item) => item.isPrimary);
  if (primary === undefined) return null;
  const format = codecOf(primary, items);
  if (format === null) return null;
  if (primary.size === null) throw new MalformedContainer('does not say how large it is');
  return {
    format,
    ...primary.size,
    bitDepth: primary.bitDepth,
    hasAlpha: items.some((item) => item.isAlphaOf === primary.id),
    isCmyk: false,
    frames: isSequence(bytes, boxes) ? 2 : 1,
    parts: [
      ...boxes.map(({ type, start, end: last }) => ({ name: type, start, end: last })),
      ...metaParts(bytes, meta),
      ...itemParts(items),
    ],
    end,
    exif: contentsOf(
      bytes,
      items.filter((item) => item.type === 'Exif'),
    ).flatMap(tiffOf),
    xmp: contentsOf(
      bytes,
      items.filter((item) => item.contentType === XMP_TYPE),
    ),
    resources: [],
    icc: primary.icc,
    primaries: primary.primaries,
    selfOriented: true,
  };
}

function topLevel(bytes: Buffer): { boxes: Box[]; end: number | null } {
  const boxes: Box[] = [];
  let at = 0;
  while (at < bytes.length) {
    const box = boxAt(bytes, at, bytes.length);
    if (box === null || !TOP_LEVEL.has(box.type)) break;
    addTo(boxes, box);
    at = box.end;
  }
  const isCut = at + 8 <= bytes.length && TOP_LEVEL.has(bytes.toString('latin1', at + 4, at + 8));
  return { boxes, end: isCut ? null : at };
}

/** A grid has its codec in its tiles. */
function codecOf(primary: Item, items: readonly Item[]): 'heic' | 'avif' | null {
  const tiles = new Set(primary.tiles);
  const coded = primary.type === 'grid' ? items.find((item) => tiles.has(item.id)) : primary;
  return CODECS[coded?.type ?? ''] ?? null;
}

function isSequence(bytes: Buffer, boxes: readonly Box[]): boolean {
  const brands = boxes.find((box) => box.type === 'ftyp');
  if (brands === undefined || !boxes.some((box) => box.type === 'moov')) return false;
  const end = Math.min(brands.end, brands.start + BRANDS_BYTES);
  return (bytes.toString('latin1', brands.start, end).match(/.{4}/gs) ?? []).some((brand) =>
    SEQUENCE_BRANDS.has(brand),
  );
}

/** The content of an Exif item is the offset of its TIFF header, then the block. */
function tiffOf(content: Buffer): Buffer[] {
  return content.length > 4 ? [content.subarray(4 + content.readUInt32BE(0))] : [];
}

/** Items may name the same bytes again and again: all of them together hold no more than the file does. */
function contentsOf(bytes: Buffer, items: readonly Item[]): Buffer[] {
  const contents = items.map((item) => item.extents.map(({ start, end }) => bytes.subarray(start, end)));
  const total = contents.flat().reduce((sum, part) => sum + part.length, 0);
  if (total > bytes.length) throw new MalformedContainer('has more metadata than bytes');
  return contents.map((extents) => Buffer.concat(extents));
}

/** Boxes with children that matter to a check of what is inside. */
const PARENTS = new Set(['meta', 'meta/iprp', 'meta/iprp/ipco']);

function metaParts(bytes: Buffer, meta: Box): Part[] {
  const inside = (parent: string, box: Box, from: number): Part[] =>
    boxesIn(bytes, from, box.end).flatMap((child) => {
      const name = `${parent}/${child.type}`;
      const kind = child.type === 'colr' ? `:${cursor(bytes, child.start).text(4)}` : '';
      const part = { name: name + kind, start: child.start, end: child.end };
      return PARENTS.has(name) ? [part, ...inside(name, child, child.start)] : [part];
    });
  return inside('meta', meta, meta.start + 4);
}

function itemParts(items: readonly Item[]): Part[] {
  return items.map((item) => ({
    name: `item:${kindOf(item)}`,
    start: item.extents[0]?.start ?? 0,
    end: item.extents[0]?.end ?? 0,
  }));
}

/** An alpha channel belongs to the picture; whatever else accompanies it is named. */
function kindOf(item: Item): string {
  if (item.isThumbnail) return 'thumbnail';
  if (item.auxiliary !== null && item.isAlphaOf === null)
    return /gain ?map/i.test(item.auxiliary) ? 'gain map' : 'auxiliary';
  return item.type === 'mime' ? item.contentType : item.type;
}
