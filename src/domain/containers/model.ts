/** One piece of a file, named as its format names it: `SOF2`, `APP1:Exif`, `IDAT`, `VP8X`, `meta/iprp/ipco/ispe`. */
export interface Part {
  readonly name: string;
  /** Content without its length and type fields: first byte, and the byte behind the last. */
  readonly start: number;
  readonly end: number;
}

/** An image file taken apart, its pixels left alone. */
export interface Container {
  readonly format: 'jpeg' | 'png' | 'webp' | 'heic' | 'avif';
  /** As stored, before any orientation. */
  readonly width: number;
  readonly height: number;
  /** Of a channel. */
  readonly bitDepth: number;
  readonly hasAlpha: boolean;
  readonly isCmyk: boolean;
  /** Pictures that play one after the other; for HEIC and AVIF sequences 2 stands for "several". */
  readonly frames: number;
  readonly parts: readonly Part[];
  /** The byte behind the image's own end; null when the file stops before it. */
  readonly end: number | null;
  /** EXIF blocks, each from its TIFF header on. */
  readonly exif: readonly Buffer[];
  /** XMP packets, unpacked. */
  readonly xmp: readonly Buffer[];
  /** Image resources as Photoshop writes them: IPTC lies in these. */
  readonly resources: readonly Buffer[];
  readonly icc: Buffer | null;
  /** HEIC and AVIF: ITU-T H.273 colour primaries where they are given by number (1 sRGB, 9 BT.2020, 12 P3). */
  readonly primaries: number | null;
  /** HEIC and AVIF are turned by transforms of their own: EXIF orientation must then be ignored. */
  readonly selfOriented: boolean;
}

/** The bytes cannot be followed; the message names the place, never the content. */
export class MalformedContainer extends Error {
  override readonly name = 'MalformedContainer';
}

/** Real files have some thousands at most (a 200-megapixel photo in tiles); a list of millions would fill the memory. */
const MAX_PARTS = 50_000;

/** Adds one more to a list of what was found in a file, unless there are too many already. */
export function addTo<T>(list: T[], found: T): void {
  if (list.length >= MAX_PARTS) throw new MalformedContainer('has too many parts');
  list.push(found);
}

/** The same memory as a Buffer. */
export function viewOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
