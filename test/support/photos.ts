import { fileURLToPath } from 'node:url';

export { LARGE_PHOTO, largePhoto } from './large-photo.ts';

/** What a photo of the fixture folder is; the README beside the photos names their sources and licences. */
export interface PhotoFixture {
  /** File name in the folder. */
  name: string;
  /** The media type of its bytes. */
  type: 'image/jpeg' | 'image/heic' | 'image/webp';
  /** EXIF orientation, 1 to 8. A HEIC is turned by its own transform; the tag repeats it. */
  orientation: number;
  /** Width and height in pixels as a person sees the photo: upright. */
  width: number;
  height: number;
  /** Whether a metadata reader finds the place where it was taken. */
  gps: boolean;
}

/** The path of a file in `test/fixtures/photos`. */
export function photoPath(name: string): string {
  return fileURLToPath(new URL(`../fixtures/photos/${name}`, import.meta.url));
}

/**
 * Ten photos as they come from phones: each says where it was taken, all eight orientations occur,
 * one is HEIC, the largest has 20 megapixels and 4.5 MB.
 */
export function listPhonePhotos(): PhotoFixture[] {
  return PHOTOS.slice(0, 10);
}

/** Every photo of the folder, the phone photos first. */
export function listPhotos(): PhotoFixture[] {
  return [...PHOTOS];
}

const PHOTOS: readonly PhotoFixture[] = [
  photo('iphone-13-pro-pug.heic', 1, 4032, 3024),
  photo('nuthatch.jpg', 1, 6028, 3391),
  photo('dogs.jpg', 2, 2048, 3088),
  photo('lake.jpg', 3, 1200, 1800),
  photo('sunset.jpg', 4, 4272, 2848),
  photo('stream.jpg', 5, 3088, 2056),
  photo('dandelion.jpg', 6, 5312, 2988),
  photo('waterfall.jpg', 6, 1800, 1200),
  photo('autumn-hill.jpg', 7, 3088, 2056),
  photo('mountains.jpg', 8, 3264, 2448),
  photo('lumia-820-starfish.jpg', 1, 1278, 720),
  photo('xiaomi-pen.heic', 1, 2592, 1944),
  photo('galaxy-m31-heath.heic', 1, 462, 347),
  photo('slings.webp', 1, 800, 566),
  photo('iphone-8-plus-arrow.heic', 6, 3024, 4032, false),
  photo('galaxy-s24-ultra-200mp.heic', 6, 12240, 16320, false),
];

function photo(name: string, orientation: number, width: number, height: number, gps = true): PhotoFixture {
  const type = name.endsWith('.jpg') ? 'image/jpeg' : name.endsWith('.webp') ? 'image/webp' : 'image/heic';
  return { name, type, orientation, width, height, gps };
}
