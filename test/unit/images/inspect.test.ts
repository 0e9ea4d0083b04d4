import sharp from 'sharp';
import { afterAll, describe, expect, it } from 'vitest';
import { isStorageError } from '#src/domain/errors.ts';
import { inspectImage, type InspectLimits } from '#src/images/inspect.ts';
import * as hostile from '#test/support/hostile.ts';
import { listPhotos, type PhotoFixture } from '#test/support/photos.ts';
import * as unusual from '#test/support/unusual.ts';
import { photoBytes, testEngine } from './support.ts';

const LIMITS: InspectLimits = {
  maxPixels: 50_000_000,
  maxBytes: 10 * 1024 * 1024,
  formats: { heic: true, avif: true },
};
const NO_LIMIT = { ...LIMITS, maxPixels: 1e9 };
const isHeic = ({ type }: PhotoFixture) => type === 'image/heic';
const header = async (bytes: Uint8Array, limits = LIMITS) => (await inspectImage(bytes, limits)).header;
const findings = async (name: string) => (await inspectImage(await photoBytes(name), NO_LIMIT)).findings;

describe('the header', () => {
  const [heics, others] = [listPhotos().filter(isHeic), listPhotos().filter((photo) => !isHeic(photo))];

  it.each(others)('of $name tells its size as stored and its orientation', async (photo) => {
    const { width, height, orientation } = photo;
    const isTurned = orientation >= 5;
    expect(await header(await photoBytes(photo.name))).toEqual({
      format: photo.type.slice('image/'.length),
      width: isTurned ? height : width,
      height: isTurned ? width : height,
      orientation,
      pages: 1,
      hasAlpha: false,
    });
  });

  it.each(heics)('of $name tells its size, and nothing to turn', async ({ name, width, height }) => {
    const found = await header(await photoBytes(name), NO_LIMIT);
    expect(found).toMatchObject({ format: 'heic', orientation: 1, pages: 1, hasAlpha: false });
    expect(Math.max(found.width, found.height)).toBe(Math.max(width, height));
  });

  it('of PNG, WebP and AVIF tells alpha, frames and size', async () => {
    expect(await header((await unusual.alphaPng()).bytes)).toMatchObject({ format: 'png', hasAlpha: true });
    expect(await header((await unusual.alphaWebp()).bytes)).toMatchObject({ format: 'webp', hasAlpha: true });
    expect(await header((await unusual.animatedWebp()).bytes)).toMatchObject({ format: 'webp', pages: 2 });
    expect(await header(unusual.apng().bytes)).toMatchObject({ format: 'png', pages: 2, width: 64 });
    expect(await header((await unusual.avif()).bytes)).toMatchObject({ format: 'avif', width: 600 });
  });
});

describe('what is refused before anything is decoded', () => {
  const code = (value: string) => expect.objectContaining({ code: value });

  it('is every other type, by its bytes and not by its name', async () => {
    const files = [
      hostile.htmlNamedJpg(),
      hostile.svgNamedJpg(),
      hostile.pdf(),
      await hostile.animatedGif(),
      await hostile.tiff(),
    ];
    for (const { bytes } of files) await expect(header(bytes)).rejects.toEqual(code('UNSUPPORTED_TYPE'));
    await expect(header((await hostile.animatedGif()).bytes)).rejects.toThrow(
      /GIF.*JPEG, PNG, WebP, HEIC and AVIF/,
    );
  });

  it('is HEIC and AVIF where they are switched off', async () => {
    const limits = { ...LIMITS, formats: { heic: false, avif: false } };
    await expect(header(await photoBytes('galaxy-m31-heath.heic'), limits)).rejects.toEqual(
      code('UNSUPPORTED_TYPE'),
    );
    await expect(header((await unusual.avif()).bytes, limits)).rejects.toEqual(code('UNSUPPORTED_TYPE'));
  });

  it('is an empty file and one cut off inside its header', async () => {
    const photo = await photoBytes('lake.jpg');
    await expect(header(hostile.emptyFile().bytes)).rejects.toEqual(code('INVALID_IMAGE'));
    await expect(header(photo.subarray(0, 4))).rejects.toEqual(code('INVALID_IMAGE'));
    await expect(header((await photoBytes('slings.webp')).subarray(0, 16))).rejects.toEqual(
      code('INVALID_IMAGE'),
    );
  });

  it('is a claim of 2,500 megapixels, a bomb of 900 and a real photo of 200', async () => {
    await expect(header(hostile.pngClaimingHugeSize().bytes)).rejects.toEqual(code('TOO_MANY_PIXELS'));
    await expect(header(hostile.decompressionBomb().bytes)).rejects.toEqual(code('TOO_MANY_PIXELS'));
    await expect(header(await photoBytes('galaxy-s24-ultra-200mp.heic'))).rejects.toEqual(
      code('TOO_MANY_PIXELS'),
    );
  });

  it('is a file over the byte budget', async () => {
    await expect(header((await hostile.oversizedJpeg()).bytes)).rejects.toEqual(code('FILE_TOO_LARGE'));
  });

  it('never costs a process: an engine without any answers', async () => {
    const engine = testEngine({ processes: 0 });
    afterAll(() => engine.close());
    expect(await engine.inspect(await photoBytes('lake.jpg'))).toMatchObject({ format: 'jpeg' });
    await expect(engine.inspect(hostile.emptyFile().bytes)).rejects.toEqual(code('INVALID_IMAGE'));
  });

  it('is never a crash, whichever byte is broken', async () => {
    const files = await Promise.all(
      ['galaxy-m31-heath.heic', 'slings.webp', 'lumia-820-starfish.jpg'].map(photoBytes),
    );
    for (const file of [...files, (await unusual.avif()).bytes, unusual.apng().bytes]) {
      const head = Math.min(file.length, 3000);
      for (let at = 0; at < head; at += 7) {
        const broken = Buffer.from(file);
        broken[at] = 0xff - (broken[at] ?? 0);
        const answer = await header(broken).catch((error: unknown) => error);
        expect(answer instanceof Error ? isStorageError(answer) : true, `byte ${at}`).toBe(true);
      }
    }
  });
});

describe('what was in the upload', () => {
  it('is told by kind for a phone JPEG', async () => {
    expect(await findings('lumia-820-starfish.jpg')).toMatchObject({
      exif: true,
      gps: true,
      thumbnail: true,
      makerNotes: true,
      trailingBytes: 38,
    });
  });

  it('is told for HEIC', async () => {
    expect(await findings('iphone-13-pro-pug.heic')).toMatchObject({
      exif: true,
      gps: true,
      icc: true,
      makerNotes: true,
    });
    expect(await findings('iphone-8-plus-arrow.heic')).toMatchObject({ exif: true, gps: false });
  });

  it('is told for WebP, and counts a second picture behind the end', async () => {
    expect(await findings('slings.webp')).toMatchObject({ exif: true, gps: true, xmp: true });
    expect((await findings('sunset.jpg')).trailingBytes).toBeGreaterThan(1000);
  });

  it('is told for PNG, whose text chunks hold nearly everything', async () => {
    const png = await sharp(await photoBytes('slings.webp'))
      .resize(64)
      .keepMetadata()
      .withXmp('<x:xmpmeta xmlns:x="adobe:ns:meta/"/>')
      .png()
      .toBuffer();
    const found = (await inspectImage(png, LIMITS)).findings;
    expect(found).toMatchObject({ exif: true, gps: true, xmp: true, comment: false });
  });

  it('never has a value in it', async () => {
    for (const value of Object.values(await findings('lumia-820-starfish.jpg')))
      expect(['boolean', 'number']).toContain(typeof value);
  });
});
