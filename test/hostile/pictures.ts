import { readFile } from 'node:fs/promises';
import sharp from 'sharp';
import type { UploadFile } from '#test/support/hostile.ts';
import { photoPath } from '#test/support/photos.ts';
import * as unusual from '#test/support/unusual.ts';

export interface OddPicture {
  readonly name: string;
  readonly make: () => Promise<UploadFile> | UploadFile;
  readonly size: readonly [width: number, height: number];
  readonly warnings: readonly string[];
}

/** Pictures that few decoders are tried with; each is taken, and comes out as large as it says. */
export const ODD_PICTURES: readonly OddPicture[] = [
  { name: '1 × 65,535', make: () => plainPng(1, 65_535), size: [1, 4000], warnings: ['SCALED_DOWN'] },
  { name: '65,535 × 1', make: () => plainPng(65_535, 1), size: [4000, 1], warnings: ['SCALED_DOWN'] },
  { name: '1 × 1', make: unusual.tinyJpeg, size: [1, 1], warnings: ['VERY_SMALL'] },
  { name: 'CMYK', make: unusual.cmykJpeg, size: [600, 424], warnings: ['CMYK_CONVERTED'] },
  { name: '16 bit', make: unusual.png16Bit, size: [600, 424], warnings: ['DEPTH_REDUCED'] },
  { name: 'a palette', make: unusual.palettePng, size: [600, 424], warnings: [] },
  { name: 'an interlaced PNG', make: interlacedPng, size: [600, 424], warnings: [] },
  { name: 'an animated WebP', make: unusual.animatedWebp, size: [600, 424], warnings: ['ANIMATION_DROPPED'] },
];

/** Pictures whose second frame is green, and whose first is red. */
export const ANIMATED: readonly {
  readonly name: string;
  readonly make: () => Promise<UploadFile> | UploadFile;
}[] = [
  { name: 'an animated PNG', make: unusual.apng },
  { name: 'an animated WebP', make: redThenGreenWebp },
];

async function redThenGreenWebp(): Promise<UploadFile> {
  const frames = await Promise.all(
    ['#f00', '#0f0'].map((background) => plain(64, 64, background).png().toBuffer()),
  );
  const bytes = await sharp(frames, { join: { animated: true } })
    .webp({ lossless: true, delay: [100, 100] })
    .toBuffer();
  return { name: 'animated.webp', type: 'image/webp', bytes };
}

async function plainPng(width: number, height: number): Promise<UploadFile> {
  return {
    name: 'thin.png',
    type: 'image/png',
    bytes: await plain(width, height, '#3a6ea5').png().toBuffer(),
  };
}

async function interlacedPng(): Promise<UploadFile> {
  const photo = sharp(await readFile(photoPath('slings.webp'))).resize(600);
  return {
    name: 'interlaced.png',
    type: 'image/png',
    bytes: await photo.png({ progressive: true }).toBuffer(),
  };
}

function plain(width: number, height: number, background: string) {
  return sharp({ create: { width, height, channels: 3, background } });
}
