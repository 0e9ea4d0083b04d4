import { readFile } from 'node:fs/promises';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { pdqDistance, pdqHash } from '#src/images/worker/pdq.ts';

/** From pdq/python/README.md of facebook/ThreatExchange. */
const PUBLISHED = [
  ['square-128x128.jpg', 'd8f8f1eec0f4a84f0e37022a078f63f0b36e2ed596621e1d33e6239c4e9c9b22'],
  ['square-256x256.jpg', 'd8f8f0cec4f4a84f0637022a078f67f0b36e2ee5b6621e1d33e6239c4e9c9b22'],
  ['shrink-a-lot.jpg', 'd0f8f1ccc0f4a84d0a370a3a228f67f0b36e2ed5b6623e1d33e6339c4e9c9b22'],
] as const;

describe('PDQ', () => {
  it.each(PUBLISHED)('of %s is the published hash', async (name, published) => {
    const bytes = await readFile(new URL(`../../fixtures/pdq/${name}`, import.meta.url));
    const { luma, width, height } = await lumaOf(bytes);
    expect(pdqDistance(pdqHash(luma, width, height), published)).toBe(0);
  });

  it('of a flat picture is defined', () => {
    expect(pdqHash(new Float32Array(64 * 64).fill(7), 64, 64)).toMatch(/^[0-9a-f]{64}$/);
  });

  it('counts the bits that differ', () => {
    expect(pdqDistance('0'.repeat(64), 'f'.repeat(64))).toBe(256);
    expect(pdqDistance('0'.repeat(64), `${'0'.repeat(63)}5`)).toBe(2);
  });
});

/** As PDQ's reference prepares a picture: at most 512 px square, Rec. 601. */
async function lumaOf(bytes: Buffer) {
  const { data, info } = await sharp(bytes)
    .resize(512, 512, { fit: 'fill', kernel: 'cubic', withoutEnlargement: true })
    .raw()
    .toBuffer({ resolveWithObject: true });
  const luma = Float32Array.from({ length: info.width * info.height }, (_, at) => {
    const [red = 0, green = 0, blue = 0] = data.subarray(3 * at, 3 * at + 3);
    return 0.299 * red + 0.587 * green + 0.114 * blue;
  });
  return { luma, width: info.width, height: info.height };
}
