import { crc32, deflateSync } from 'node:zlib';

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);

/** PNG colour types used here, by what the header calls them. */
export const GREY = 0;
export const RGBA = 6;

/** A PNG file out of its chunks; the end chunk is added. */
export function pngFile(...chunks: Buffer[]): Buffer {
  return Buffer.concat([SIGNATURE, ...chunks, chunk('IEND')]);
}

/** One chunk with its length and checksum. */
export function chunk(type: string, content: Buffer = Buffer.alloc(0)): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), content]);
  return Buffer.concat([uint32(content.length), body, uint32(crc32(body))]);
}

/** The header chunk. */
export function header(width: number, height: number, bitDepth: number, colourType: number): Buffer {
  const rest = Buffer.from([bitDepth, colourType, 0, 0, 0]);
  return chunk('IHDR', Buffer.concat([uint32(width), uint32(height), rest]));
}

/** A whole PNG of black pixels, one bit each: a thousand times smaller than what it unpacks to. */
export function blackPng(width: number, height: number): Buffer {
  const rows = Buffer.alloc((1 + Math.ceil(width / 8)) * height);
  return pngFile(header(width, height, 1, GREY), chunk('IDAT', deflateSync(rows, { level: 9 })));
}

/** An animated PNG: a square, one frame for each colour given. */
export function animatedPng(size: number, colours: readonly [number, number, number, number][]): Buffer {
  let sequence = 0;
  const frames = colours.flatMap((colour, index) => {
    const control = [uint32(sequence++), uint32(size), uint32(size), uint32(0), uint32(0), FRAME_DELAY];
    const pixels = deflateSync(square(size, colour));
    return [
      chunk('fcTL', Buffer.concat(control)),
      index === 0 ? chunk('IDAT', pixels) : chunk('fdAT', Buffer.concat([uint32(sequence++), pixels])),
    ];
  });
  const animation = chunk('acTL', Buffer.concat([uint32(colours.length), uint32(0)]));
  return pngFile(header(size, size, 8, RGBA), animation, ...frames);
}

/** A tenth of a second, then the next frame drawn over this one. */
const FRAME_DELAY = Buffer.from([0, 1, 0, 10, 0, 0]);

function square(size: number, colour: readonly number[]): Buffer {
  const row = Buffer.concat([Buffer.from([0]), ...Array.from({ length: size }, () => Buffer.from(colour))]);
  return Buffer.concat(Array.from({ length: size }, () => row));
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
