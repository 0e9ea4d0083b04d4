import { deflateSync } from 'node:zlib';
import sharp from 'sharp';
import type { UploadFile } from '#test/support/hostile.ts';
import { blackPng, chunk, GREY, header, pngFile } from '#test/support/png.ts';

const MEGABYTE = 1024 * 1024;

/** Few bytes that would cost a reader or a decoder much memory or time: each with what is large in it. */
export interface Bomb {
  readonly name: string;
  readonly make: () => Promise<UploadFile> | UploadFile;
}

export interface RefusedBomb extends Bomb {
  readonly code: 'INVALID_IMAGE' | 'TOO_MANY_PIXELS';
}

/** Bombs that a reader of the header must see: no decoder is asked. */
export const REFUSED_BOMBS: readonly RefusedBomb[] = [
  {
    name: 'a JPEG of 49 megapixels with 3,000 scans',
    code: 'INVALID_IMAGE',
    make: async () => jpeg(await progressive(7000, 7000, 3000)),
  },
  {
    name: 'a JPEG of two million empty segments',
    code: 'INVALID_IMAGE',
    make: async () => jpeg(await manySegments(2_000_000)),
  },
  {
    name: 'a PNG of 800,000 empty chunks',
    code: 'INVALID_IMAGE',
    make: () => png(pngFile(header(8, 8, 1, GREY), Buffer.concat(Array(800_000).fill(chunk('teSt'))))),
  },
  {
    name: 'a WebP of a million empty chunks',
    code: 'INVALID_IMAGE',
    make: () => webp(manyChunks(1_000_000)),
  },
  {
    name: 'a JPEG that says it has 65,535 × 65,535 pixels',
    code: 'TOO_MANY_PIXELS',
    make: async () => jpeg(await withClaimedSize(65_535, 65_535)),
  },
  {
    name: 'a WebP whose canvas has 16,384 × 16,384 pixels',
    code: 'TOO_MANY_PIXELS',
    make: () => webp(canvas(16_384, 16_384)),
  },
  {
    name: 'a HEIC grid of 60,000 × 60,000 pixels',
    code: 'TOO_MANY_PIXELS',
    make: () => heic(grid({ width: 60_000, height: 60_000 })),
  },
  {
    name: 'an AVIF grid of 60,000 × 60,000 pixels',
    code: 'TOO_MANY_PIXELS',
    make: () => avif(grid({ width: 60_000, height: 60_000, codec: 'av01' })),
  },
  {
    name: 'a HEIC of 600 million extents that take no bytes',
    code: 'INVALID_IMAGE',
    make: () => heic(grid({ items: 9_990, extents: 65_535 })),
  },
  {
    name: 'a HEIC whose 2,000 EXIF items are all of it',
    code: 'INVALID_IMAGE',
    make: () => heic(grid({ items: 2_000, type: 'Exif', padding: 8 * MEGABYTE })),
  },
  {
    name: 'a HEIC with 9,990 items and half a million references',
    code: 'INVALID_IMAGE',
    make: () => heic(grid({ items: 9_990, references: 500_000 })),
  },
];

/** Bombs that may be taken: what is large in them is stepped over. */
export const HARMLESS_BOMBS: readonly Bomb[] = [
  {
    name: 'a PNG whose profile unpacks to 500 MB',
    make: () => png(withChunk('iCCP', Buffer.concat([Buffer.from('p\0\0'), zeros(500)]))),
  },
  {
    name: 'a PNG with 100 texts that unpack to 50 MB each',
    make: () => {
      const words = chunk('zTXt', Buffer.concat([Buffer.from('Comment\0\0'), zeros(50)]));
      return png(pngFile(header(64, 64, 1, GREY), ...Array<Buffer>(100).fill(words), pixels(64)));
    },
  },
  { name: 'a JPEG with a profile of nine megabytes', make: async () => jpeg(await withProfile(137)) },
  { name: 'a JPEG with a megabyte of comments', make: async () => jpeg(await withComments(16)) },
];

/** A picture with so many one-byte scans as a header holds: each is a pass over all blocks. */
async function progressive(width: number, height: number, scans: number): Promise<Buffer> {
  const plain = await sharp({ create: { width, height, channels: 3, background: '#777' } })
    .jpeg({ progressive: true, quality: 20 })
    .toBuffer();
  const last = plain.lastIndexOf(Buffer.from([0xff, 0xda]));
  const scan = plain.subarray(last, -2);
  return Buffer.concat([plain.subarray(0, -2), ...Array<Buffer>(scans).fill(scan), plain.subarray(-2)]);
}

async function manySegments(count: number): Promise<Buffer> {
  const small = await smallJpeg();
  const segments = Buffer.alloc(count * 4, Buffer.from([0xff, 0xfe, 0, 2]));
  return Buffer.concat([small.subarray(0, 2), segments, small.subarray(2)]);
}

function manyChunks(count: number): Buffer {
  const content = Buffer.concat([
    Buffer.from('WEBPVP8X\x0a\0\0\0\0\0\0\0\x07\0\0\x07\0\0', 'latin1'),
    Buffer.alloc(count * 8, Buffer.from('teSt\0\0\0\0')),
  ]);
  return riff(content);
}

function canvas(width: number, height: number): Buffer {
  const head = Buffer.alloc(10);
  head.writeUIntLE(width - 1, 4, 3);
  head.writeUIntLE(height - 1, 7, 3);
  return riff(Buffer.concat([Buffer.from('WEBPVP8X\x0a\0\0\0', 'latin1'), head]));
}

function riff(content: Buffer): Buffer {
  const head = Buffer.from('RIFF\0\0\0\0', 'latin1');
  head.writeUInt32LE(content.length, 4);
  return Buffer.concat([head, content]);
}

async function withClaimedSize(width: number, height: number): Promise<Buffer> {
  const bytes = await smallJpeg();
  const frame = bytes.indexOf(Buffer.from([0xff, 0xc0]));
  bytes.writeUInt16BE(height, frame + 5);
  bytes.writeUInt16BE(width, frame + 7);
  return bytes;
}

/** As many APP2 segments as one profile may have, all of noise. */
async function withProfile(segments: number): Promise<Buffer> {
  const small = await smallJpeg();
  const parts = Array.from({ length: segments }, (_, index) => {
    const part = Buffer.alloc(0xffff + 2, 0x5a);
    part.set([0xff, 0xe2, 0xff, 0xff]);
    part.write('ICC_PROFILE\0', 4, 'latin1');
    part.set([index + 1, segments], 16);
    return part;
  });
  return Buffer.concat([small.subarray(0, 2), ...parts, small.subarray(2)]);
}

async function withComments(count: number): Promise<Buffer> {
  const small = await smallJpeg();
  const comment = Buffer.alloc(0xffff + 2, '<script>');
  comment.set([0xff, 0xfe, 0xff, 0xff]);
  return Buffer.concat([small.subarray(0, 2), ...Array<Buffer>(count).fill(comment), small.subarray(2)]);
}

function smallJpeg(): Promise<Buffer> {
  return sharp({ create: { width: 64, height: 64, channels: 3, background: '#369' } })
    .jpeg()
    .toBuffer();
}

function withChunk(type: string, content: Buffer): Buffer {
  return pngFile(header(64, 64, 1, GREY), chunk(type, content), pixels(64));
}

/** The pixels of a black square, as their chunk. */
function pixels(size: number): Buffer {
  const whole = blackPng(size, size);
  return whole.subarray(8 + 25, -12); // between the header chunk and the end
}

function zeros(megabytes: number): Buffer {
  return deflateSync(Buffer.alloc(megabytes * MEGABYTE), { level: 9 });
}

interface GridOptions {
  readonly width?: number;
  readonly height?: number;
  readonly codec?: 'hvc1' | 'av01';
  /** Items beside the grid and its tile. */
  readonly items?: number;
  readonly type?: string;
  /** Of each item; lengths and offsets have no bytes. */
  readonly extents?: number;
  readonly references?: number;
  /** Bytes behind the tables. */
  readonly padding?: number;
}

/** A HEIF of one grid with one tile that has no picture, and tables as large as asked for. */
function grid(options: GridOptions): Buffer {
  const { width = 64, height = 64, codec = 'hvc1', items = 0, type = 'Exif', extents = 1 } = options;
  const { references = 0, padding = 0 } = options;
  const ids = Array.from({ length: items }, (_, index) => index + 3);
  const infe = (id: number, kind: string) => box('infe', u32(0x02000000), u16(id), u16(0), text(kind), u8(0));
  const empty = extents > 1;
  // With `empty` neither offsets nor lengths are written; else four bytes of length: the whole file.
  const location = (id: number) =>
    Buffer.concat([u16(id), u16(0), u16(extents), ...(empty ? [] : [u32(0), u32(8 * MEGABYTE)])]);
  const link = box('cdsc', u16(3), u16(1), u16(1));
  const meta = box(
    'meta',
    u32(0),
    box('pitm', u32(0), u16(1)),
    box('iinf', u32(0), u16(items + 2), infe(1, 'grid'), infe(2, codec), ...ids.map((id) => infe(id, type))),
    box('iloc', u32(0), u16(empty ? 0 : 0x4400), u16(items), ...ids.map(location)),
    box(
      'iref',
      u32(0),
      box('dimg', u16(1), u16(1), u16(2)),
      Buffer.alloc(references * link.length, link.length > 0 ? link : 0),
    ),
    box(
      'iprp',
      box('ipco', box('ispe', u32(0), u32(width), u32(height))),
      box('ipma', u32(0), u32(1), u16(1), u8(1), u8(1)),
    ),
  );
  return Buffer.concat([
    box('ftyp', text(codec === 'av01' ? 'avif' : 'heic'), u32(0), text('mif1')),
    meta,
    box('mdat', Buffer.alloc(padding)),
  ]);
}

function box(type: string, ...content: readonly Buffer[]): Buffer {
  const body = Buffer.concat(content);
  return Buffer.concat([u32(body.length + 8), text(type), body]);
}

function text(value: string): Buffer {
  return Buffer.from(value, 'latin1');
}

function u8(value: number): Buffer {
  return Buffer.from([value]);
}

function u16(value: number): Buffer {
  return Buffer.from([value >> 8, value & 255]);
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function jpeg(bytes: Buffer): UploadFile {
  return { name: 'bomb.jpg', type: 'image/jpeg', bytes };
}

function png(bytes: Buffer): UploadFile {
  return { name: 'bomb.png', type: 'image/png', bytes };
}

function webp(bytes: Buffer): UploadFile {
  return { name: 'bomb.webp', type: 'image/webp', bytes };
}

function heic(bytes: Buffer): UploadFile {
  return { name: 'bomb.heic', type: 'image/heic', bytes };
}

function avif(bytes: Buffer): UploadFile {
  return { name: 'bomb.avif', type: 'image/avif', bytes };
}
