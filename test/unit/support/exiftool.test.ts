import { readFile } from 'node:fs/promises';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { exiftoolAvailable, privateFindings, readMetadata } from '#test/support/exiftool.ts';
import { photoPath } from '#test/support/photos.ts';
import { trailingBytes } from '#test/support/trailer.ts';

const photo = photoPath('dogs.jpg');

describe.skipIf(!exiftoolAvailable())('exiftool', () => {
  it('reads the same from a path and from bytes', async () => {
    const [fromPath, fromBytes] = await Promise.all([
      readMetadata(photo),
      readMetadata(await readFile(photo)),
    ]);
    expect(fromPath['GPS:GPSLatitude']).toBeCloseTo(43.31);
    expect(fromBytes['GPS:GPSLatitude']).toBe(fromPath['GPS:GPSLatitude']);
  });

  it.each(['jpeg', 'webp', 'png', 'avif'] as const)(
    'finds nothing private in a %s written without metadata, with a colour profile or not',
    async (format) => {
      const small = sharp(photo).autoOrient().resize(120);
      const bare = await small.clone().toFormat(format).toBuffer();
      const profiled = await small.clone().withIccProfile('p3').toFormat(format).toBuffer();
      expect(privateFindings(await readMetadata(bare))).toEqual([]);
      expect(privateFindings(await readMetadata(profiled))).toEqual([]);
    },
  );

  it.each(['jpeg', 'webp', 'png', 'avif'] as const)(
    'finds the place in a %s that kept its metadata',
    async (format) => {
      const kept = await sharp(photo).resize(120).keepMetadata().toFormat(format).toBuffer();
      expect(privateFindings(await readMetadata(kept)).map((finding) => finding.kind)).toContain('place');
    },
  );

  it('finds bytes behind the picture', async () => {
    const clean = await sharp(photo).resize(60).jpeg().toBuffer();
    const findings = privateFindings(await readMetadata(Buffer.concat([clean, Buffer.from('secret')])));
    expect(findings).toContainEqual({ kind: 'trailer', tag: 'Trailer:Bytes', value: '6' });
  });
});

describe('trailingBytes', () => {
  it.each(['jpeg', 'webp', 'png', 'avif'] as const)('counts what lies behind a %s', async (format) => {
    const picture = await sharp(photo).resize(61, 47, { fit: 'fill' }).toFormat(format).toBuffer();
    expect(trailingBytes(picture)).toBe(0);
    expect(trailingBytes(Buffer.concat([picture, Buffer.alloc(10, 1)]))).toBe(10);
  });
});
