import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { withComment } from './jpeg.ts';

/** What `largePhoto` promises: pixels, and bytes to within a twentieth. */
export const LARGE_PHOTO = { width: 4000, height: 3000, bytes: 4_800_000 } as const;

/** Deviation of the noise before it is softened, in grey levels: this much gives the promised bytes. */
const NOISE = 24.6;
const QUALITY = 92;
const RECIPE = 1;

let base: Promise<Buffer> | undefined;

/**
 * A synthetic 12-megapixel JPEG that costs a codec about what a phone photo does: slopes, hard edges and
 * sensor-like noise, with camera, date and place in its EXIF.
 *
 * The picture is the same for every seed and on every run with one version of sharp; each seed gives other
 * bytes (a comment segment), so hundreds of different files are made in milliseconds. The first call on a
 * machine takes about a second, later ones read a file from the system's temporary folder.
 */
export async function largePhoto(seed = 0): Promise<Buffer> {
  base ??= cached();
  return withComment(await base, Buffer.from(`seed ${seed}`));
}

async function cached(): Promise<Buffer> {
  const folder = join(tmpdir(), 'localex-storage-fixtures');
  const path = join(folder, `large-photo-${RECIPE}-sharp-${sharp.versions.sharp}.jpg`);
  try {
    return await readFile(path);
  } catch {
    const bytes = await draw();
    await mkdir(folder, { recursive: true });
    const own = `${path}.${randomUUID()}`; // several test processes may be drawing it at once
    await writeFile(own, bytes);
    await rename(own, path);
    return bytes;
  }
}

async function draw(): Promise<Buffer> {
  const { width, height } = LARGE_PHOTO;
  const grain = await noise(width, height);
  const pixels = Buffer.alloc(width * height * 3);
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++, at += 3) {
      const tile = ((x >> 7) ^ (y >> 7)) & 1 ? 18 : 0;
      const light = tile + ((grain[y * width + x] ?? 0) - 128) * (NOISE / 40);
      pixels[at] = clamped(40 + (150 * x) / width + light);
      pixels[at + 1] = clamped(60 + (120 * y) / height + light);
      pixels[at + 2] = clamped(70 + (100 * (x + y)) / (width + height) + light);
    }
  }
  return sharp(pixels, { raw: { width, height, channels: 3 } })
    .withExif({
      IFD0: { Make: 'Fixture', Model: 'Synthetic camera', Software: 'large-photo.ts' },
      IFD2: { DateTimeOriginal: '2024:06:01 12:00:00' },
      IFD3: {
        GPSLatitudeRef: 'N',
        GPSLatitude: '46/1 12/1 0/1',
        GPSLongitudeRef: 'E',
        GPSLongitude: '6/1 9/1 0/1',
      },
    })
    .jpeg({ quality: QUALITY, chromaSubsampling: '4:2:0' })
    .toBuffer();
}

/** Grey noise around 128 with deviation 40, softened as a lens does; always the same. */
async function noise(width: number, height: number): Promise<Buffer> {
  const random = xorshift(0x9e3779b9);
  const grey = Buffer.alloc(width * height);
  for (let at = 0; at < grey.length; at++) {
    grey[at] = clamped(128 + 80 * (random() + random() + random() - 1.5)); // three uniforms: deviation 1/2
  }
  return sharp(grey, { raw: { width, height, channels: 1 } })
    .blur(0.6)
    .toColourspace('b-w')
    .raw()
    .toBuffer();
}

/** Marsaglia's 32-bit xorshift (2003), as numbers from 0 up to 1. */
function xorshift(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

function clamped(value: number): number {
  return value < 0 ? 0 : value > 255 ? 255 : value;
}
