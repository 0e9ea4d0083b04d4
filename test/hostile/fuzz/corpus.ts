import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { photoPath } from '#test/support/photos.ts';
import * as unusual from '#test/support/unusual.ts';

/** A file that is whole, and small enough that thousands of its mutations are looked at in a minute. */
export interface Sample {
  readonly name: string;
  readonly bytes: Buffer;
}

const PDFS = fileURLToPath(new URL('../../fixtures/pdf', import.meta.url));

/** Files in every accepted format, of real cameras and tools where there are small ones. */
export async function readCorpus(): Promise<readonly Sample[]> {
  const jpeg = await readFile(photoPath('lumia-820-starfish.jpg'));
  const small = sharp(jpeg).resize(320).keepMetadata();
  const made = [
    { name: 'small.jpg', bytes: await small.clone().jpeg().toBuffer() },
    { name: 'progressive.jpg', bytes: await small.clone().jpeg({ progressive: true }).toBuffer() },
    { name: 'small.png', bytes: await small.clone().withIccProfile('p3').png().toBuffer() },
    { name: 'interlaced.png', bytes: await small.clone().png({ progressive: true }).toBuffer() },
    { name: 'lossless.webp', bytes: await small.clone().resize(120).webp({ lossless: true }).toBuffer() },
  ];
  const others = await Promise.all([
    unusual.cmykJpeg(),
    unusual.displayP3Jpeg(),
    unusual.palettePng(),
    unusual.alphaWebp(),
    unusual.animatedWebp(),
    unusual.avif(),
  ]);
  const read = async (name: string) => ({ name, bytes: await readFile(photoPath(name)) });
  const photos = await Promise.all(['waterfall.jpg', 'slings.webp', 'galaxy-m31-heath.heic'].map(read));
  const pdfs = (await readdir(PDFS)).filter((name) => name.endsWith('.pdf')).toSorted();
  const documents = pdfs.map(async (name) => ({ name, bytes: await readFile(`${PDFS}/${name}`) }));
  return [...photos, ...made, ...others, unusual.apng(), ...(await Promise.all(documents))];
}
