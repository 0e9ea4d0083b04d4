import type { Container } from '../domain/containers/container.ts';
import { type Exif, readExif } from '../domain/containers/exif.ts';
import { hasIccText } from '../domain/containers/icc.ts';
import { readResources } from '../domain/containers/resources.ts';
import { readXmp, type XmpKind } from '../domain/containers/xmp.ts';
import type { MetadataFindings } from '../domain/metadata.ts';
import { readTrailer } from './trailer.ts';

/** Names of parts, in any of the formats, that carry each kind of metadata. */
const CARRIERS = {
  exif: /^(APP1:Exif|eXIf|(tEXt|zTXt|iTXt):(exif|app1)|EXIF|item:Exif)$/,
  xmp: /^(APP1:XMP(-extension)?|(tEXt|zTXt|iTXt):xmp|XMP|item:application\/rdf\+xml)$/,
  iptc: /^(APP13:Photoshop|(tEXt|zTXt|iTXt):(iptc|8bim))$/,
  icc: /^(APP2:ICC|iCCP|ICCP|meta\/iprp\/ipco\/colr:(prof|rICC))$/,
  comment: /^(COM|tEXt|zTXt|iTXt)$/,
  dates: /^tIME$/,
  thumbnail: /^(APP0:JFIF-thumbnail|item:thumbnail)$/,
  secondPictures: /^APP2:MPF$/,
  gainMap: /^(APP2:gain-map|item:(gain map|tmap))$/,
  auxiliaryImages: /^item:auxiliary$/,
  video: /^(mpvd|moov|moof)$/,
  frames: /^(acTL|fcTL|fdAT|ANIM|ANMF)$/,
} as const;
/** Parts that make the picture itself, or tell how its numbers are meant. */
const PICTURE =
  /^(SOF\d+|SOS|DHT|DQT|DRI|0xdc|APP0:JFIF|APP14:Adobe|IHDR|PLTE|tRNS|IDAT|IEND|pHYs|sBIT|bKGD|gAMA|sRGB|cHRM|cICP|mDCV|cLLI|hIST|VP8|VP8L|VP8X|ALPH|ftyp|mdat|idat|mfra|free|skip|meta(\/.*)?|item:(hvc1|hev1|av01|grid|iden|iovl))$/;

/**
 * What lies around a picture, by kind. Blocks within blocks are followed: EXIF and XMP in Photoshop's resources, what
 * stands behind the end of the image.
 */
export function findingsOf(bytes: Buffer, container: Container, blocks: readonly Exif[]): MetadataFindings {
  const resources = container.resources.map(readResources);
  const exif = [...blocks, ...resources.flatMap((each) => each.exif.map(readExif))];
  const packets = [...container.xmp, ...resources.flatMap((each) => each.xmp)].map(readXmp);
  const trailer = container.end === null ? null : bytes.subarray(container.end);
  const behind = readTrailer(trailer ?? Buffer.alloc(0));
  const datasets = new Set(resources.flatMap((each) => [...each.datasets]));

  const has = (carrier: RegExp) => container.parts.some((part) => carrier.test(part.name));
  const inXmp = (kind: XmpKind) => packets.some((kinds) => kinds.has(kind));
  const inIptc = (numbers: readonly number[]) => numbers.some((number) => datasets.has(number));
  const says = (kind: keyof Exif['says']) => exif.some((block) => block.says[kind]);
  return {
    gps: exif.some((block) => block.hasGps) || inXmp('gps'),
    placeNames: inXmp('placeNames') || inIptc(IPTC.placeNames),
    camera: says('camera') || inXmp('camera'),
    serialNumbers: says('serialNumbers') || inXmp('serialNumbers'),
    dates: says('dates') || inXmp('dates') || inIptc(IPTC.dates) || has(CARRIERS.dates),
    people: says('people') || inXmp('people') || inIptc(IPTC.people),
    comment: has(CARRIERS.comment) || says('comment') || inXmp('comment') || inIptc(IPTC.comment),
    exif: has(CARRIERS.exif) || exif.length > 0,
    xmp: has(CARRIERS.xmp) || packets.length > 0,
    iptc: has(CARRIERS.iptc),
    makerNotes: exif.some((block) => block.hasMakerNotes),
    icc: has(CARRIERS.icc),
    iccText: profilesOf(bytes, container).some(hasIccText),
    thumbnail:
      has(CARRIERS.thumbnail) ||
      exif.some((block) => block.hasThumbnail) ||
      resources.some((each) => each.hasThumbnail) ||
      inXmp('thumbnail'),
    secondPictures: has(CARRIERS.secondPictures) || behind.hasPicture,
    gainMap: has(CARRIERS.gainMap) || inXmp('gainMap') || behind.hasGainMap,
    auxiliaryImages: has(CARRIERS.auxiliaryImages) || inXmp('auxiliaryImages') || behind.hasDepth,
    video: has(CARRIERS.video) || inXmp('video') || behind.hasVideo,
    frames: container.frames > 1 || has(CARRIERS.frames),
    other: container.parts.some((part) => !isKnown(part.name)),
    trailingBytes: trailer?.length ?? 0,
  };
}

/** HEIC and AVIF keep one with each picture, also with the tiles of the one that is shown. */
function profilesOf(bytes: Buffer, { icc, parts }: Container): readonly Buffer[] {
  const boxes = parts.filter(({ name }) => /\/colr:(prof|rICC)$/.test(name));
  return [...(icc === null ? [] : [icc]), ...boxes.map(({ start, end }) => bytes.subarray(start + 4, end))];
}

/** Datasets of IPTC-IIM 4.2, record 2. */
const IPTC = {
  /** Content location, city, sublocation, province, country. */
  placeNames: [26, 27, 90, 92, 95, 100, 101],
  /** Release and expiry, created, digital creation. */
  dates: [30, 35, 37, 38, 47, 55, 60, 62, 63],
  /** By-line, its title, credit, copyright, contact, writer. */
  people: [80, 85, 110, 116, 118, 122],
  /** Object name, keywords, special instructions, headline, caption. */
  comment: [5, 25, 40, 105, 120],
} as const;

const CARRIED: readonly RegExp[] = Object.values(CARRIERS);

function isKnown(name: string): boolean {
  return PICTURE.test(name) || CARRIED.some((carrier) => carrier.test(name));
}
