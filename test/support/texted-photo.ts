import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import sharp from 'sharp';
import { prepareZXingModule, writeBarcode } from 'zxing-wasm/writer';
import { photoPath } from './photos.ts';

/** Something to put onto a photo, with its place in pixels of the picture. */
export interface Sticker {
  readonly left: number;
  readonly top: number;
  readonly image: Buffer;
}

export interface Writing {
  readonly font?: string;
  /** Height of the letters in pixels, about. */
  readonly size?: number;
  readonly colour?: string;
  /** Null: letters on the photo itself. */
  readonly paper?: string | null;
  /** Degrees, clockwise. */
  readonly angle?: number;
}

/** A note with a line of text, as a seller would put into a photo. */
export async function writing(text: string, options: Writing = {}): Promise<Buffer> {
  const { font = 'DejaVu Sans', size = 40, colour = '#111111', paper = '#ffffff', angle = 0 } = options;
  const width = Math.ceil(text.length * size * 0.75 + size);
  const height = Math.ceil(size * 1.8);
  const escaped = text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">
    <text x="${size / 2}" y="${size * 1.25}" font-family="${font}" font-size="${size}" fill="${colour}">${escaped}</text></svg>`;
  const letters = await sharp(Buffer.from(svg)).trim().png().toBuffer();
  const border = Math.ceil(size / 3);
  const background = paper ?? '#00000000';
  const flat = await sharp(letters)
    .flatten(paper === null ? false : { background })
    .extend({ top: border, bottom: border, left: border, right: border, background })
    .ensureAlpha()
    .png()
    .toBuffer();
  return sharp(flat).rotate(angle, { background: '#00000000' }).png().toBuffer();
}

let writer: Promise<unknown> | null = null;

/** A QR code or barcode, `size` pixels wide. */
export async function printedCode(
  text: string,
  size: number,
  format: 'QRCode' | 'EAN13' | 'Code128' = 'QRCode',
): Promise<Buffer> {
  writer ??= prepareWriter();
  await writer;
  const { svg } = await writeBarcode(text, { format, scale: 8, addQuietZones: true });
  return sharp(Buffer.from(svg)).resize({ width: size }).flatten({ background: '#ffffff' }).png().toBuffer();
}

async function prepareWriter(): Promise<void> {
  const require = createRequire(import.meta.url);
  const wasm = await readFile(require.resolve('zxing-wasm/writer/zxing_writer.wasm'));
  const wasmBinary = wasm.buffer.slice(wasm.byteOffset, wasm.byteOffset + wasm.length);
  await prepareZXingModule({ overrides: { wasmBinary }, fireImmediately: true });
}

/** A photo of the fixtures, 1200 px, with these things on it. JPEG. */
export async function photoWith(name: string, stickers: readonly Sticker[]): Promise<Buffer> {
  const base = await sharp(photoPath(name))
    .rotate()
    .resize(1200, 1200, { fit: 'inside' })
    .removeAlpha()
    .png()
    .toBuffer();
  return sharp(base)
    .composite(stickers.map(({ left, top, image }) => ({ input: image, left, top })))
    .jpeg({ quality: 85 })
    .toBuffer();
}
