import { inflateSync } from 'node:zlib';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import * as hostile from '#test/support/hostile.ts';
import { endOfJpeg } from '#test/support/jpeg.ts';
import { trailingBytes } from '#test/support/trailer.ts';
import {
  alphaPng,
  alphaWebp,
  animatedWebp,
  apng,
  avif,
  cmykJpeg,
  displayP3Jpeg,
  palettePng,
  png16Bit,
  tallJpeg,
  tinyJpeg,
} from '#test/support/unusual.ts';

describe('hostile files', () => {
  it('the truncated JPEG has a whole header and no end', async () => {
    const { bytes } = await hostile.truncatedJpeg();
    expect((await sharp(bytes).metadata()).width).toBe(1200);
    expect(endOfJpeg(bytes)).toBeUndefined();
    await expect(sharp(bytes, { failOn: 'truncated' }).raw().toBuffer()).rejects.toThrow('premature end');
  });

  it('the bit-flipped JPEG is damaged, in the same way each time', async () => {
    const [one, two] = await Promise.all([hostile.bitFlippedJpeg(), hostile.bitFlippedJpeg()]);
    expect(one.bytes.equals(two.bytes)).toBe(true);
    await expect(sharp(one.bytes, { failOn: 'warning' }).raw().toBuffer()).rejects.toThrow('Corrupt JPEG');
  });

  it.each([hostile.htmlNamedJpg(), hostile.svgNamedJpg()])(
    '$name is not the JPEG it claims to be',
    (file) => {
      expect(file.type).toBe('image/jpeg');
      expect(file.bytes.subarray(0, 2).toString('hex')).not.toBe('ffd8');
      expect(file.bytes.toString()).toContain('<script>');
    },
  );

  it('the empty file is empty', () => {
    expect(hostile.emptyFile().bytes).toHaveLength(0);
  });

  it('the PNG that claims 2.5 gigapixels has less than a hundred bytes', async () => {
    const { bytes } = hostile.pngClaimingHugeSize();
    const { width, height } = await sharp(bytes, { limitInputPixels: false }).metadata();
    expect([width, height]).toEqual([50_000, 50_000]);
    expect(bytes.length).toBeLessThan(100);
  });

  it('the decompression bomb really holds the pixels it claims', async () => {
    const { bytes } = hostile.decompressionBomb();
    expect(bytes.length).toBeLessThan(200_000);
    const data = bytes.subarray(bytes.indexOf('IDAT') + 4, bytes.length - 16);
    expect(inflateSync(data).length).toBe((1 + 30_000 / 8) * 30_000);
    const small = hostile.decompressionBomb(4000, 2000);
    const { info } = await sharp(small.bytes).raw().toBuffer({ resolveWithObject: true });
    expect([info.width, info.height]).toEqual([4000, 2000]);
  });

  it('the oversized JPEG has twelve megabytes and is a valid photo', async () => {
    const { bytes } = await hostile.oversizedJpeg();
    expect(bytes.length).toBeGreaterThanOrEqual(12 * 1024 * 1024);
    expect(trailingBytes(bytes)).toBe(0);
    const { info } = await sharp(bytes, { failOn: 'warning' })
      .resize(80)
      .toBuffer({ resolveWithObject: true });
    expect(info.height).toBe(60);
  });

  it('photos with something behind their end decode, and hold it there', async () => {
    const files = [
      { ...(await hostile.eicarBehindJpeg()), starts: 'X5O!P%@AP' },
      { ...(await hostile.zipBehindJpeg()), starts: 'PK\x03\x04' },
      { ...(await hostile.elfBehindJpeg()), starts: '\x7fELF' },
    ];
    for (const { bytes, starts } of files) {
      const behind = bytes.subarray(endOfJpeg(bytes));
      expect(behind.toString('latin1').startsWith(starts)).toBe(true);
      expect(trailingBytes(bytes)).toBe(behind.length);
      await expect(sharp(bytes, { failOn: 'warning' }).resize(8).toBuffer()).resolves.toBeDefined();
    }
    expect(hostile.eicar()).toHaveLength(68); // as eicar.org defines it
  });

  it('the GIF is animated, the TIFF is a TIFF and the PDF starts like one', async () => {
    const gif = await sharp((await hostile.animatedGif()).bytes).metadata();
    expect([gif.format, gif.pages]).toEqual(['gif', 3]);
    expect((await sharp((await hostile.tiff()).bytes).metadata()).format).toBe('tiff');
    expect(hostile.pdf().bytes.toString('latin1')).toMatch(/^%PDF-1\.4\n/);
  });

  it('the names hold a 300-character one, a path, a null byte and a line break', () => {
    const names = hostile.HOSTILE_NAMES;
    expect(names.some((name) => name.length === 300)).toBe(true);
    for (const part of ['../', '..\\', '\0', '\r\n', '東京', '\u202e']) {
      expect(names.some((name) => name.includes(part))).toBe(true);
    }
  });
});

describe('unusual files', () => {
  it.each([
    ['cmykJpeg', cmykJpeg, { format: 'jpeg', space: 'cmyk', channels: 4 }],
    ['displayP3Jpeg', displayP3Jpeg, { format: 'jpeg', space: 'srgb', hasProfile: true }],
    ['png16Bit', png16Bit, { format: 'png', depth: 'ushort' }],
    ['palettePng', palettePng, { format: 'png', isPalette: true }],
    ['alphaPng', alphaPng, { format: 'png', hasAlpha: true }],
    ['alphaWebp', alphaWebp, { format: 'webp', hasAlpha: true }],
    ['avif', avif, { format: 'heif', compression: 'av1' }],
    ['animatedWebp', animatedWebp, { format: 'webp', pages: 2 }],
    ['apng', apng, { format: 'png', width: 64, height: 64 }],
    ['tinyJpeg', tinyJpeg, { format: 'jpeg', width: 1, height: 1 }],
    ['tallJpeg', tallJpeg, { format: 'jpeg', width: 1, height: 65_500 }],
  ] as const)('%s is what its name says', async (_name, make, expected) => {
    const { bytes } = await make();
    expect(await sharp(bytes).metadata()).toMatchObject(expected);
    await expect(
      sharp(bytes, { failOn: 'warning' }).toColourspace('srgb').png().toBuffer(),
    ).resolves.toBeDefined();
  });

  it('the cut-out is transparent in its corner and opaque in its middle', async () => {
    const { data, info } = await sharp((await alphaPng()).bytes)
      .raw()
      .toBuffer({ resolveWithObject: true });
    const alpha = (x: number, y: number) => data[(y * info.width + x) * 4 + 3];
    expect([alpha(0, 0), alpha(300, 212)]).toEqual([0, 255]);
  });

  it('the animated PNG has two frames, and a decoder of still pictures sees the first', async () => {
    const { bytes } = apng();
    expect(bytes.includes('acTL')).toBe(true);
    expect(bytes.includes('fdAT')).toBe(true);
    expect([...(await sharp(bytes).raw().toBuffer()).subarray(0, 4)]).toEqual([255, 0, 0, 255]);
  });
});
