import sharp from 'sharp';
import { afterAll, describe, expect, it } from 'vitest';
import * as hostile from '#test/support/hostile.ts';
import { blackPng } from '#test/support/png.ts';
import * as unusual from '#test/support/unusual.ts';
import { distance, openedAsPng, photoBytes, testEngine, withImage } from './support.ts';

const engine = testEngine();
afterAll(() => engine.close());
const factsOf = (bytes: Uint8Array) => withImage(engine, bytes, async (image) => image.facts);

describe('orientation', () => {
  const width = 96;
  const height = 64;
  /** Where a stored pixel is seen, by EXIF's definition of each value; `w` and `h` are the stored size. */
  const seenAt: Readonly<Record<number, (x: number, y: number, w: number, h: number) => [number, number]>> = {
    1: (x, y) => [x, y],
    2: (x, y, w) => [w - 1 - x, y],
    3: (x, y, w, h) => [w - 1 - x, h - 1 - y],
    4: (x, y, _w, h) => [x, h - 1 - y],
    5: (x, y) => [y, x],
    6: (x, y, _w, h) => [h - 1 - y, x],
    7: (x, y, w, h) => [h - 1 - y, w - 1 - x],
    8: (x, y, w) => [y, w - 1 - x],
  };

  it.each([1, 2, 3, 4, 5, 6, 7, 8])('%i ends upright, in JPEG, PNG and WebP', async (orientation) => {
    const upright = await sharp(await photoBytes('slings.webp'))
      .resize(width, height, { fit: 'fill' })
      .removeAlpha()
      .raw()
      .toBuffer();
    const reference = await sharp(upright, { raw: { width, height, channels: 3 } })
      .png()
      .toBuffer();
    const [w, h] = orientation >= 5 ? [height, width] : [width, height];
    const stored = Buffer.alloc(upright.length);
    for (let y = 0; y < h; y++)
      for (let x = 0; x < w; x++) {
        const [seenX, seenY] = seenAt[orientation]?.(x, y, w, h) ?? [0, 0];
        upright.copy(stored, (y * w + x) * 3, (seenY * width + seenX) * 3, (seenY * width + seenX) * 3 + 3);
      }
    const tagged = () =>
      sharp(stored, { raw: { width: w, height: h, channels: 3 } }).withMetadata({ orientation });
    const files = [
      await tagged().jpeg({ quality: 95 }).toBuffer(),
      await tagged().png().toBuffer(),
      await tagged().webp({ quality: 95 }).toBuffer(),
    ];
    for (const file of files) {
      const made = await openedAsPng(engine, file);
      expect([made.width, made.height]).toEqual([width, height]);
      expect(await distance(made.data, reference), `orientation ${orientation}`).toBeLessThan(3);
    }
  });

  it('of a HEIC is applied once, though EXIF repeats it', async () => {
    expect(await factsOf(await photoBytes('iphone-8-plus-arrow.heic'))).toMatchObject({
      width: 3000,
      height: 4000,
    });
  });
});

describe('colour', () => {
  const reference = async () =>
    sharp(await photoBytes('slings.webp'))
      .resize(600)
      .png()
      .toBuffer();

  it('of Display P3 is converted, not dropped', async () => {
    const { bytes } = await unusual.displayP3Jpeg();
    const made = await openedAsPng(engine, bytes);
    const dropped = await sharp(bytes, { ignoreIcc: true }).png().toBuffer();
    const converted = await distance(made.data, await reference());
    expect(converted).toBeLessThan(2);
    expect(await distance(dropped, await reference())).toBeGreaterThan(2 * converted);
    expect((await factsOf(bytes)).warnings).toEqual(['WIDE_GAMUT_CONVERTED']);
  });

  it('of a saturated P3 red comes out as the sRGB red it was', async () => {
    const red = sharp({ create: { width: 32, height: 32, channels: 3, background: '#e01010' } });
    const p3 = await red.withIccProfile('p3').png().toBuffer();
    const made = await openedAsPng(engine, p3);
    const [r = 0, g = 0, b = 0] = await sharp(made.data).raw().toBuffer();
    expect(Math.abs(r - 0xe0) + Math.abs(g - 0x10) + Math.abs(b - 0x10)).toBeLessThan(9);
  });

  it('of CMYK is converted', async () => {
    const { bytes } = await unusual.cmykJpeg();
    expect(await distance((await openedAsPng(engine, bytes)).data, await reference())).toBeLessThan(12);
    expect((await factsOf(bytes)).warnings).toContain('CMYK_CONVERTED');
  });

  it('of 16 bits, of a palette and of grey is kept in 8 bits RGB', async () => {
    const deep = await unusual.png16Bit();
    expect((await factsOf(deep.bytes)).warnings).toEqual(['DEPTH_REDUCED']);
    expect(await distance((await openedAsPng(engine, deep.bytes)).data, await reference())).toBeLessThan(1);
    const palette = await unusual.palettePng();
    expect(await distance((await openedAsPng(engine, palette.bytes)).data, await reference())).toBeLessThan(
      4,
    );
    const grey = await sharp(await reference())
      .greyscale()
      .jpeg()
      .toBuffer();
    const made = await openedAsPng(engine, grey);
    expect(await sharp(made.data).metadata()).toMatchObject({ channels: 3, depth: 'uchar', space: 'srgb' });
  });
});

describe('alpha', () => {
  it('is kept, and flattened on white for JPEG', async () => {
    const { bytes } = await unusual.alphaPng();
    await withImage(engine, bytes, async (image) => {
      expect(image.facts.hasAlpha).toBe(true);
      const webp = await image.encode({ name: 'original', format: 'webp', maxEdge: 4000 });
      expect((await sharp(webp.data).stats()).isOpaque).toBe(false);
      const jpeg = await image.encode({ name: 'thumbnail', format: 'jpeg', maxEdge: 300 });
      const [r, g, b] = await sharp(jpeg.data).raw().toBuffer();
      expect(Math.min(r ?? 0, g ?? 0, b ?? 0)).toBeGreaterThan(250);
    });
  });

  it('that hides nothing is dropped', async () => {
    const opaque = await sharp(await photoBytes('slings.webp'))
      .resize(200)
      .ensureAlpha()
      .png()
      .toBuffer();
    expect((await engine.inspect(opaque)).hasAlpha).toBe(true);
    expect((await factsOf(opaque)).hasAlpha).toBe(false);
  });
});

describe('other inputs', () => {
  it('that move give their first frame and a warning', async () => {
    expect((await factsOf((await unusual.animatedWebp()).bytes)).warnings).toEqual(['ANIMATION_DROPPED']);
    const { bytes } = unusual.apng();
    expect((await factsOf(bytes)).warnings).toContain('ANIMATION_DROPPED');
    const [r, g] = await sharp((await openedAsPng(engine, bytes)).data)
      .raw()
      .toBuffer();
    expect([r, g]).toEqual([255, 0]);
  });

  it('in AVIF and HEIC are decoded', async () => {
    const avif = await openedAsPng(engine, (await unusual.avif()).bytes);
    expect(await distance(avif.data, await photoBytes('slings.webp'))).toBeLessThan(5);
    await withImage(engine, await photoBytes('iphone-13-pro-pug.heic'), async (image) => {
      expect(image.facts).toMatchObject({
        width: 4000,
        height: 3000,
        hasAlpha: false,
        warnings: ['SCALED_DOWN', 'WIDE_GAMUT_CONVERTED'],
      });
      expect((await image.analyse()).labels[0]?.label).toBe('pug');
    });
  });

  it('over 4,000 px are scaled down', async () => {
    expect(await factsOf(await photoBytes('nuthatch.jpg'))).toMatchObject({
      width: 4000,
      height: 2250,
      warnings: ['SCALED_DOWN'],
    });
  });

  it('of one pixel and of a column are taken', async () => {
    expect(await factsOf((await unusual.tinyJpeg()).bytes)).toMatchObject({
      width: 1,
      height: 1,
      warnings: ['VERY_SMALL'],
    });
    expect(await factsOf((await unusual.tallJpeg()).bytes)).toMatchObject({ width: 1, height: 4000 });
  });
});

describe('damage', () => {
  const invalid = expect.objectContaining({ code: 'INVALID_IMAGE' });

  it('is a photo cut off at any place', async () => {
    await expect(factsOf((await hostile.truncatedJpeg()).bytes)).rejects.toEqual(invalid);
    const files = [
      await photoBytes('slings.webp'),
      (await unusual.alphaPng()).bytes,
      await photoBytes('galaxy-m31-heath.heic'),
      (await unusual.avif()).bytes,
    ];
    for (const file of files)
      await expect(factsOf(file.subarray(0, file.length * 0.6))).rejects.toEqual(invalid);
  });

  it('is a download that was filled up with zeros', async () => {
    const photo = Buffer.from(await photoBytes('lake.jpg'));
    await expect(factsOf(photo.fill(0, photo.length >> 1))).rejects.toEqual(invalid);
  });

  it('is a PNG whose pixels are missing', async () => {
    const png = blackPng(3000, 3000);
    const cut = Buffer.concat([png.subarray(0, 60), png.subarray(-12)]);
    await expect(factsOf(cut)).rejects.toEqual(invalid);
  });

  it('leaves the process fit for the next photo', async () => {
    await expect(factsOf((await hostile.truncatedJpeg()).bytes)).rejects.toEqual(invalid);
    expect(await factsOf((await hostile.bitFlippedJpeg()).bytes)).toMatchObject({ width: 1800 });
  });
});
