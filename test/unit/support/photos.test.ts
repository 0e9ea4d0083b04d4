import { stat } from 'node:fs/promises';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { exiftoolAvailable, privateFindings, readMetadata } from '#test/support/exiftool.ts';
import { LARGE_PHOTO, largePhoto, listPhonePhotos, listPhotos, photoPath } from '#test/support/photos.ts';

describe('the photos of the fixture folder', () => {
  it('are ten from phones in all eight orientations, one of them HEIC, several of eight megapixels and more', () => {
    const phone = listPhonePhotos();
    expect(phone).toHaveLength(10);
    expect(new Set(phone.map((photo) => photo.orientation))).toEqual(new Set([1, 2, 3, 4, 5, 6, 7, 8]));
    expect(phone.filter((photo) => photo.type === 'image/heic')).toHaveLength(1);
    expect(phone.filter((photo) => photo.width * photo.height >= 7.9e6).length).toBeGreaterThanOrEqual(5);
    expect(phone.every((photo) => photo.gps)).toBe(true);
  });

  it.each(listPhotos().filter((photo) => photo.type !== 'image/heic'))(
    '$name decodes, and upright it has the size that is listed',
    async ({ name, width, height, orientation }) => {
      const metadata = await sharp(photoPath(name)).metadata();
      expect(metadata.orientation ?? 1).toBe(orientation);
      expect(metadata.autoOrient).toEqual({ width, height });
      const { info } = await sharp(photoPath(name))
        .autoOrient()
        .resize(64)
        .raw()
        .toBuffer({ resolveWithObject: true });
      expect(info.width).toBe(64);
    },
  );

  it('leave the largest file of a phone photo between four and five megabytes', async () => {
    const sizes = await Promise.all(
      listPhonePhotos().map(async ({ name }) => (await stat(photoPath(name))).size),
    );
    expect(Math.max(...sizes)).toBeGreaterThan(4e6);
    expect(Math.max(...sizes)).toBeLessThan(5e6);
  });
});

describe.skipIf(!exiftoolAvailable())('the photos, read by exiftool', () => {
  it.each(listPhotos())(
    '$name says where it was taken, or not, as listed',
    async ({ name, gps, orientation }) => {
      const metadata = await readMetadata(photoPath(name));
      expect(metadata['Composite:GPSPosition'] !== undefined).toBe(gps);
      expect(metadata['IFD0:Orientation']).toBe(orientation);
      expect(privateFindings(metadata)).not.toEqual([]);
    },
  );

  it.each(listPhotos().filter((photo) => photo.type === 'image/heic'))(
    '$name has the size that is listed, but for a row that its clean aperture may cut off',
    async ({ name, orientation, width, height }) => {
      const metadata = await readMetadata(photoPath(name));
      const stored = [Number(metadata['File:ImageWidth']), Number(metadata['File:ImageHeight'])];
      const [across = 0, down = 0] = orientation >= 5 ? stored.toReversed() : stored;
      expect(across).toBe(width);
      expect(Math.abs(down - height)).toBeLessThanOrEqual(1);
    },
  );

  it('sunset.jpg and mountains.jpg have every kind of private data that privateFindings names', async () => {
    const kinds = new Set([
      ...privateFindings(await readMetadata(photoPath('sunset.jpg'))).map((finding) => finding.kind),
      ...privateFindings(await readMetadata(photoPath('mountains.jpg'))).map((finding) => finding.kind),
    ]);
    for (const kind of [
      'place',
      'date',
      'camera',
      'xmp',
      'iptc',
      'thumbnail',
      'maker notes',
      'comment',
      'trailer',
    ]) {
      expect(kinds).toContain(kind);
    }
  });
});

describe('the large photo', () => {
  it('has twelve megapixels, about 4.8 MB, and EXIF', async () => {
    const photo = await largePhoto();
    const metadata = await sharp(photo).metadata();
    expect([metadata.width, metadata.height]).toEqual([LARGE_PHOTO.width, LARGE_PHOTO.height]);
    expect(metadata.exif?.length).toBeGreaterThan(100);
    expect(Math.abs(photo.length / LARGE_PHOTO.bytes - 1)).toBeLessThan(0.05);
  });

  it('has other bytes for each seed, the same for the same seed, and always the same picture', async () => {
    const [one, again, two] = await Promise.all([largePhoto(1), largePhoto(1), largePhoto(2)]);
    expect(one.equals(again)).toBe(true);
    expect(one.equals(two)).toBe(false);
    expect((await reduced(one)).equals(await reduced(two))).toBe(true);
  });
});

function reduced(photo: Buffer): Promise<Buffer> {
  return sharp(photo).resize(40).raw().toBuffer();
}
