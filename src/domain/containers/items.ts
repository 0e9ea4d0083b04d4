import { type Box, boxesIn, cursor, fullBox } from './boxes.ts';
import { MalformedContainer } from './model.ts';

/** An item of a HEIF file with the properties that matter here. */
export interface Item {
  readonly id: number;
  readonly type: string;
  /** Of a `mime` item. */
  readonly contentType: string;
  readonly isPrimary: boolean;
  readonly isThumbnail: boolean;
  /** The item whose alpha channel this one is; null for others. */
  readonly isAlphaOf: number | null;
  /** What it accompanies another picture as, by its URN; null for pictures of their own. */
  readonly auxiliary: string | null;
  /** Items that a grid is put together from. */
  readonly tiles: readonly number[];
  readonly extents: readonly { readonly start: number; readonly end: number }[];
  readonly size: { readonly width: number; readonly height: number } | null;
  readonly bitDepth: number;
  readonly icc: Buffer | null;
  readonly primaries: number | null;
}

/** Real files have up to about 900 (a 200-megapixel photo in tiles); a list without an end is refused. */
const MAX_ITEMS = 10_000;
/** What items point at, all together: extents, other items, properties. Some of it costs a file no byte, and each costs memory. */
const MAX_LINKS = 200_000;
/** Enough of an auxiliary type's name: `urn:mpeg:mpegB:cicp:systems:auxiliary:alpha` behind version and flags. */
const AUXILIARY_NAME_BYTES = 64;

/** Counts links; throws when there are too many. */
type Spend = (links: number) => void;

/** Reads the item tables below `meta`: iinf, iloc, iref, iprp, pitm. */
export function readItems(bytes: Buffer, meta: Box): Item[] {
  const boxes = boxesIn(bytes, meta.start + 4, meta.end);
  const find = (type: string) => boxes.find((box) => box.type === type);
  const [pitm, iinf, iloc, iref, iprp] = [
    find('pitm'),
    find('iinf'),
    find('iloc'),
    find('iref'),
    find('iprp'),
  ];
  const primary = pitm === undefined ? -1 : primaryId(bytes, pitm);
  const spend = limitedTo(MAX_LINKS);
  const locations =
    iloc === undefined ? new Map<number, Item['extents']>() : readLocations(bytes, iloc, find('idat'), spend);
  const references = iref === undefined ? new Map<number, Reference[]>() : readReferences(bytes, iref, spend);
  const properties = iprp === undefined ? new Map<number, Box[]>() : readProperties(bytes, iprp, spend);
  const entries = iinf === undefined ? [] : readEntries(bytes, iinf);
  return entries.map((entry) => {
    const own = properties.get(entry.id) ?? [];
    const from = (type: string) =>
      (references.get(entry.id) ?? []).filter((reference) => reference.type === type);
    const auxC = own.find((box) => box.type === 'auxC');
    const auxiliary =
      auxC === undefined
        ? null
        : bytes.toString('latin1', auxC.start + 4, Math.min(auxC.end, auxC.start + AUXILIARY_NAME_BYTES));
    const isAlpha = auxiliary !== null && /alpha|auxid:1\0/.test(auxiliary);
    return {
      ...entry,
      isPrimary: entry.id === primary,
      isThumbnail: from('thmb').length > 0,
      isAlphaOf: isAlpha ? (from('auxl')[0]?.to[0] ?? null) : null,
      auxiliary,
      tiles: from('dimg').flatMap((reference) => reference.to),
      extents: locations.get(entry.id) ?? [],
      ...readPicture(bytes, own),
    };
  });
}

function limitedTo(most: number): Spend {
  let left = most;
  return (links) => {
    left -= links;
    if (left < 0) throw new MalformedContainer('has items that point at too much');
  };
}

function primaryId(bytes: Buffer, box: Box): number {
  const { version, start } = fullBox(bytes, box);
  return cursor(bytes, start).next(version === 0 ? 2 : 4);
}

function readEntries(bytes: Buffer, box: Box): { id: number; type: string; contentType: string }[] {
  const { version, start } = fullBox(bytes, box);
  const entries = boxesIn(bytes, start + (version === 0 ? 2 : 4), box.end).filter(
    (entry) => entry.type === 'infe',
  );
  if (entries.length > MAX_ITEMS) throw new MalformedContainer('has too many items');
  return entries.map((entry) => {
    const head = fullBox(bytes, entry);
    const read = cursor(bytes, head.start);
    const id = read.next(head.version === 3 ? 4 : 2);
    read.next(2); // protection
    const type = read.text(4);
    // Behind the name, which ends in a zero: the media type of a mime item, which does too.
    const [, contentType = ''] = bytes
      .toString('latin1', head.start + (head.version === 3 ? 10 : 8), entry.end)
      .split('\0', 2);
    return { id, type, contentType };
  });
}

function readLocations(
  bytes: Buffer,
  box: Box,
  idat: Box | undefined,
  spend: Spend,
): Map<number, Item['extents']> {
  const { version, start } = fullBox(bytes, box);
  const read = cursor(bytes, start);
  const sizes = read.next(2);
  const [offsetSize, lengthSize, baseSize] = [sizes >> 12, (sizes >> 8) & 15, (sizes >> 4) & 15];
  const indexSize = version === 0 ? 0 : sizes & 15;
  const count = read.next(version < 2 ? 2 : 4);
  if (count > MAX_ITEMS) throw new MalformedContainer('has too many items');
  const locations = new Map<number, Item['extents']>();
  for (let item = 0; item < count; item++) {
    const id = read.next(version < 2 ? 2 : 4);
    const method = version === 0 ? 0 : read.next(2) & 15;
    read.next(2); // data reference
    const base = read.next(baseSize) + (method === 1 ? (idat?.start ?? 0) : 0);
    const extents = [];
    const pieces = read.next(2);
    spend(pieces);
    for (let left = pieces; left > 0; left--) {
      read.next(indexSize);
      const from = base + read.next(offsetSize);
      extents.push({ start: from, end: from + read.next(lengthSize) });
    }
    locations.set(id, extents);
  }
  return locations;
}

interface Reference {
  readonly type: string;
  readonly to: readonly number[];
}

/** What each item refers to. */
function readReferences(bytes: Buffer, box: Box, spend: Spend): Map<number, Reference[]> {
  const { version, start } = fullBox(bytes, box);
  const size = version === 0 ? 2 : 4;
  const references = new Map<number, Reference[]>();
  for (const reference of boxesIn(bytes, start, box.end)) {
    const read = cursor(bytes, reference.start);
    const from = read.next(size);
    const count = read.next(2);
    spend(count);
    const own = references.get(from) ?? [];
    own.push({ type: reference.type, to: Array.from({ length: count }, () => read.next(size)) });
    references.set(from, own);
  }
  return references;
}

/** The properties of each item, looked up by their index in `ipco`, which counts from 1. */
function readProperties(bytes: Buffer, box: Box, spend: Spend): Map<number, Box[]> {
  const children = boxesIn(bytes, box.start, box.end);
  const ipco = children.find((child) => child.type === 'ipco');
  const all = ipco === undefined ? [] : boxesIn(bytes, ipco.start, ipco.end);
  const properties = new Map<number, Box[]>();
  for (const association of children.filter((child) => child.type === 'ipma')) {
    const { version, flags, start } = fullBox(bytes, association);
    const read = cursor(bytes, start);
    const count = read.next(4);
    if (count > MAX_ITEMS) throw new MalformedContainer('has too many items');
    for (let item = 0; item < count; item++) {
      const id = read.next(version < 1 ? 2 : 4);
      const links = read.next(1);
      spend(links);
      const indices = Array.from({ length: links }, () =>
        (flags & 1) === 1 ? read.next(2) & 0x7fff : read.next(1) & 0x7f,
      );
      properties.set(
        id,
        indices.flatMap((index) => all[index - 1] ?? []),
      );
    }
  }
  return properties;
}

function readPicture(
  bytes: Buffer,
  properties: readonly Box[],
): Pick<Item, 'size' | 'bitDepth' | 'icc' | 'primaries'> {
  const find = (type: string) => properties.find((box) => box.type === type);
  const [ispe, pixi] = [find('ispe'), find('pixi')];
  const colours = properties.filter((box) => box.type === 'colr');
  const profile = colours.find((box) =>
    ['prof', 'rICC'].includes(bytes.toString('latin1', box.start, box.start + 4)),
  );
  const numbers = colours.find((box) => bytes.toString('latin1', box.start, box.start + 4) === 'nclx');
  return {
    size:
      ispe === undefined
        ? null
        : { width: bytes.readUInt32BE(ispe.start + 4), height: bytes.readUInt32BE(ispe.start + 8) },
    bitDepth: pixi === undefined ? 8 : bytes.readUInt8(pixi.start + 5),
    icc: profile === undefined ? null : bytes.subarray(profile.start + 4, profile.end),
    primaries: numbers === undefined ? null : bytes.readUInt16BE(numbers.start + 4),
  };
}
