import { readFile } from 'node:fs/promises';
import sharp from 'sharp';
import type { UploadFile } from './hostile.ts';
import { photoPath } from './photos.ts';
import { animatedPng } from './png.ts';

/** A print shop's JPEG: four inks instead of three lights. */
export async function cmykJpeg(): Promise<UploadFile> {
  return file('cmyk.jpg', await (await photo()).toColourspace('cmyk').jpeg().toBuffer());
}

/** A JPEG whose numbers are Display P3 and whose profile says so; shown as sRGB it looks dull. */
export async function displayP3Jpeg(): Promise<UploadFile> {
  return file('display-p3.jpg', await (await photo()).withIccProfile('p3').jpeg({ quality: 90 }).toBuffer());
}

/** A photo with sixteen bits a channel. */
export async function png16Bit(): Promise<UploadFile> {
  return file('sixteen-bit.png', await (await photo()).toColourspace('rgb16').png().toBuffer());
}

/** A photo reduced to a palette of 64 colours. */
export async function palettePng(): Promise<UploadFile> {
  return file('palette.png', await (await photo()).png({ palette: true, colours: 64 }).toBuffer());
}

/** A photo cut out to an ellipse: transparent corners, a soft edge. */
export async function alphaPng(): Promise<UploadFile> {
  return file('cut-out.png', await (await cutOut()).png().toBuffer());
}

/** The same cut-out as WebP. */
export async function alphaWebp(): Promise<UploadFile> {
  return file('cut-out.webp', await (await cutOut()).webp().toBuffer());
}

export async function avif(): Promise<UploadFile> {
  return file('photo.avif', await (await photo()).avif({ effort: 1 }).toBuffer());
}

/** Two frames of one photo, the second dimmed. */
export async function animatedWebp(): Promise<UploadFile> {
  const bright = await (await photo()).png().toBuffer();
  const dim = await sharp(bright).modulate({ brightness: 0.5 }).png().toBuffer();
  const frames = sharp([bright, dim], { join: { animated: true } });
  return file('animated.webp', await frames.webp({ delay: [200, 200], loop: 0 }).toBuffer());
}

/** A red frame, then a green one. */
export function apng(): UploadFile {
  const frames = animatedPng(64, [
    [255, 0, 0, 255],
    [0, 255, 0, 255],
  ]);
  return file('animated.png', frames);
}

/** One pixel. */
export function tinyJpeg(): Promise<UploadFile> {
  return plain('tiny.jpg', 1, 1);
}

/** A column one pixel wide and nearly as high as JPEG can say. */
export function tallJpeg(): Promise<UploadFile> {
  return plain('tall.jpg', 1, 65_500);
}

const TYPES: Readonly<Record<string, string>> = {
  jpg: 'image/jpeg',
  png: 'image/png',
  webp: 'image/webp',
  avif: 'image/avif',
};

function file(name: string, bytes: Buffer): UploadFile {
  const type = TYPES[name.slice(name.lastIndexOf('.') + 1)];
  if (type === undefined) throw new Error(`No media type for ${name}`);
  return { name, type, bytes };
}

async function photo() {
  return sharp(await readFile(photoPath('slings.webp'))).resize(600);
}

async function cutOut() {
  const ellipse =
    '<svg viewBox="0 0 600 424" width="600" height="424"><ellipse cx="300" cy="212" rx="280" ry="190"/></svg>';
  const cut = await (await photo())
    .resize(600, 424)
    .ensureAlpha()
    .composite([{ input: Buffer.from(ellipse), blend: 'dest-in' }])
    .png()
    .toBuffer();
  return sharp(cut);
}

async function plain(name: string, width: number, height: number): Promise<UploadFile> {
  const canvas = sharp({ create: { width, height, channels: 3, background: '#3a6ea5' } });
  return file(name, await canvas.jpeg().toBuffer());
}
