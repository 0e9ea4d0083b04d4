import { readFile } from 'node:fs/promises';
import sharp, { type Sharp } from 'sharp';
import type { IncomingFile } from '#src/services/contracts.ts';
import { photoPath } from './photos.ts';

export type Alteration = keyof typeof ALTERATIONS;

/** What people do to a photo that they pass off as theirs, or what happens to it on its way. */
export const ALTERATIONS = {
  'not at all': ({ photo }) => photo.jpeg({ quality: 90 }),
  'half the size': ({ photo, width }) => photo.resize(Math.round(width / 2)).jpeg({ quality: 80 }),
  'JPEG quality 40': ({ photo }) => photo.jpeg({ quality: 40 }),
  'JPEG quality 20': ({ photo }) => photo.jpeg({ quality: 20 }),
  '20 % brighter': ({ photo }) => photo.modulate({ brightness: 1.2 }).jpeg({ quality: 85 }),
  '20 % darker': ({ photo }) => photo.modulate({ brightness: 0.8 }).jpeg({ quality: 85 }),
  'white frame of 5 %': (picture) => framed(picture, 0.05, '#ffffff'),
  'black frame of 8 %': (picture) => framed(picture, 0.08, '#000000'),
  mirrored: ({ photo }) => photo.flop().jpeg({ quality: 85 }),
  'cropped by 5 %': (picture) => cropped(picture, [0.025, 0.025, 0.025, 0.025]),
  'cropped by 10 %': (picture) => cropped(picture, [0.05, 0.05, 0.05, 0.05]),
  'cropped by 10 % at the bottom': (picture) => cropped(picture, [0, 0, 0, 0.1]),
  'cropped by 10 % at a corner': (picture) => cropped(picture, [0.1, 0.1, 0, 0]),
  'cropped by 20 %': (picture) => cropped(picture, [0.1, 0.1, 0.1, 0.1]),
  'mirrored and cropped by 10 %': (picture) =>
    cropped({ ...picture, photo: picture.photo.flop() }, [0.05, 0.05, 0.05, 0.05]),
  'rotated by 90°': ({ photo }) => photo.rotate(90).jpeg({ quality: 85 }),
  'rotated by 180°': ({ photo }) => photo.rotate(180).jpeg({ quality: 85 }),
  'rotated by 270°': ({ photo }) => photo.rotate(270).jpeg({ quality: 85 }),
  'rotated by 90° and cropped by 10 %': (picture) => cropped(picture, [0.05, 0.05, 0.05, 0.05]).rotate(90),
  'mirrored and rotated by 90°': ({ photo }) => photo.flop().rotate(90).jpeg({ quality: 85 }),
  'a quarter covered': ({ photo, width, height }) =>
    covered(photo, Math.round(width / 2), Math.round(height / 2)),
} as const satisfies Record<string, (picture: Picture) => Sharp>;

interface Picture {
  readonly photo: Sharp;
  readonly width: number;
  readonly height: number;
}

/** A white box in a corner. */
function covered(photo: Sharp, width: number, height: number): Sharp {
  const input = { create: { width, height, channels: 3, background: '#ffffff' } } as const;
  return photo.composite([{ input, gravity: 'southeast' }]).jpeg({ quality: 85 });
}

function framed({ photo, width }: Picture, share: number, background: string): Sharp {
  const side = Math.round(width * share);
  return photo.extend({ top: side, bottom: side, left: side, right: side, background }).jpeg({ quality: 85 });
}

/** Takes these shares away: at the left, at the top, at the right, at the bottom. */
function cropped(
  { photo, width, height }: Picture,
  [left, top, right, bottom]: [number, number, number, number],
): Sharp {
  return photo
    .extract({
      left: Math.floor(left * width),
      top: Math.floor(top * height),
      width: Math.floor((1 - left - right) * width),
      height: Math.floor((1 - top - bottom) * height),
    })
    .jpeg({ quality: 85 });
}

/** A photo, upright, at most so many pixels wide or high, altered. */
export async function altered(bytes: Uint8Array, alteration: Alteration, edge: number): Promise<Buffer> {
  const { data, info } = await sharp(bytes)
    .autoOrient()
    .resize(edge, edge, { fit: 'inside', withoutEnlargement: true })
    .flatten({ background: '#ffffff' })
    .toColourspace('srgb')
    .raw()
    .toBuffer({ resolveWithObject: true });
  const raw = { width: info.width, height: info.height, channels: info.channels };
  return ALTERATIONS[alteration]({
    photo: sharp(data, { raw }),
    width: info.width,
    height: info.height,
  }).toBuffer();
}

/** A photo of the fixture folder at 1000 px, altered or not, ready to be uploaded. */
export async function photoToUpload(
  name: string,
  alteration: Alteration = 'not at all',
): Promise<IncomingFile> {
  const body = await altered(await readFile(photoPath(name)), alteration, 1000);
  return { filename: name, type: 'image/jpeg', body };
}
