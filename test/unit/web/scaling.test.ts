import { readFile } from 'node:fs/promises';
import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { listPhotos, photoPath } from '#test/support/photos.ts';
import { HEADER_BYTES, type ImageHeader, readImageHeader } from '../../../web/src/upload/image-header.ts';
import { decideScaling, describeScaling, MAX_BYTES } from '../../../web/src/upload/scaling.ts';

const jpeg = (width: number, height: number): ImageHeader => ({ format: 'jpeg', width, height });

describe('the decision to scale a photo down', () => {
  test('sends a photo within the limits as it is', () => {
    expect(decideScaling({ bytes: MAX_BYTES, header: jpeg(8000, 6000) })).toEqual({ action: 'send' });
  });

  test('scales one byte too many', () => {
    expect(decideScaling({ bytes: MAX_BYTES + 1, header: jpeg(4000, 3000) })).toEqual({
      action: 'scale',
      why: 'bytes',
    });
  });

  test('scales one row of pixels too many', () => {
    expect(decideScaling({ bytes: 1000, header: jpeg(10_000, 5_001) })).toEqual({
      action: 'scale',
      why: 'pixels',
    });
  });

  test('scales by bytes where the size is not in the header', () => {
    const header: ImageHeader = { format: 'webp', width: null, height: null };
    expect(decideScaling({ bytes: MAX_BYTES + 1, header })).toEqual({ action: 'scale', why: 'bytes' });
    expect(decideScaling({ bytes: MAX_BYTES, header })).toEqual({ action: 'send' });
  });

  test('refuses a HEIC over the limit, since browsers cannot decode it, and sends a smaller one', () => {
    const header: ImageHeader = { format: 'heif', width: null, height: null };
    expect(decideScaling({ bytes: MAX_BYTES + 1, header })).toEqual({
      action: 'refuse',
      code: 'HEIC_TOO_LARGE',
    });
    expect(decideScaling({ bytes: MAX_BYTES, header })).toEqual({ action: 'send' });
  });

  test('leaves unknown bytes to the service unless they are too many or none', () => {
    expect(decideScaling({ bytes: 500, header: null })).toEqual({ action: 'send' });
    expect(decideScaling({ bytes: MAX_BYTES + 1, header: null })).toEqual({
      action: 'refuse',
      code: 'FILE_TOO_LARGE',
    });
    expect(decideScaling({ bytes: 0, header: null })).toEqual({ action: 'refuse', code: 'EMPTY_FILE' });
  });

  test('says in megabytes what it did', () => {
    expect(describeScaling(14_260_000, 3_140_000)).toBe('Made smaller on this device: 14.3 MB → 3.1 MB.');
  });
});

describe('the header of a photo', () => {
  test.each(listPhotos())(
    '$name is recognised, with its size where that is not HEIC',
    async ({ name, type, width, height }) => {
      const header = readImageHeader(
        new Uint8Array(await readFile(photoPath(name))).subarray(0, HEADER_BYTES),
      );
      const isRead = type !== 'image/heic';
      const format = isRead ? type.replace('image/', '') : 'heif';
      // As stored: a photo that is turned by its orientation has its sides exchanged.
      const sides = new Set(isRead ? [width, height] : [null]);
      expect([header?.format, new Set([header?.width, header?.height])]).toEqual([format, sides]);
    },
  );

  test.each([
    ['png', sharp(blank()).png()],
    ['webp', sharp(blank()).webp()],
    ['webp', sharp(blank()).webp({ lossless: true })],
    ['jpeg', sharp(blank()).jpeg({ progressive: true })],
  ])('a fresh %s says 300 × 70', async (format, image) => {
    const bytes = new Uint8Array(await image.toBuffer());
    expect(readImageHeader(bytes)).toEqual({ format, width: 300, height: 70 });
  });

  test('is null for text, for nothing, and for a photo cut off in the first bytes', async () => {
    const text = new TextEncoder().encode('<html><body>This is no photo at all.</body></html>');
    expect(readImageHeader(text)).toBeNull();
    expect(readImageHeader(new Uint8Array())).toBeNull();
    expect(readImageHeader(new Uint8Array([0xff, 0xd8, 0xff]))).toBeNull();
  });

  test('never throws on a JPEG that ends anywhere', async () => {
    const whole = new Uint8Array(await sharp(blank()).jpeg().toBuffer());
    for (let end = 0; end < whole.length; end += 1)
      expect(() => readImageHeader(whole.subarray(0, end))).not.toThrow();
  });
});

function blank() {
  return { create: { width: 300, height: 70, channels: 3 as const, background: '#456' } };
}
