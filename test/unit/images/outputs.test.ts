import sharp from 'sharp';
import { afterAll, describe, expect, it } from 'vitest';
import { DEFAULT_ENCODER, type OutputFormat, planVariants } from '#src/domain/renditions.ts';
import { verifyOutput } from '#src/images/verify.ts';
import type { EncodedVariant } from '#src/ports/image-engine.ts';
import { exiftoolAvailable, privateFindings, readMetadata } from '#test/support/exiftool.ts';
import { withComment } from '#test/support/jpeg.ts';
import { distance, photoBytes, testEngine, withImage } from './support.ts';

const engine = testEngine();
afterAll(() => engine.close());

async function fullSet(name: string): Promise<EncodedVariant[]> {
  return withImage(engine, await photoBytes(name), async (image) => {
    const made: EncodedVariant[] = [];
    for (const variant of planVariants('item_photo', image.facts.hasAlpha, DEFAULT_ENCODER))
      made.push(await image.encode(variant));
    return made;
  });
}

describe('the full set', () => {
  it('has every size in every format, clean, and looks like the photo', async () => {
    const set = await fullSet('waterfall.jpg');
    expect(set.map(({ name, format, width, height }) => `${name} ${format} ${width}x${height}`)).toEqual([
      'original jpeg 1800x1200',
      'large jpeg 1200x800',
      'large webp 1200x800',
      'medium jpeg 800x533',
      'medium webp 800x533',
      'thumbnail jpeg 300x200',
      'thumbnail webp 300x200',
    ]);
    const upright = await sharp(await photoBytes('waterfall.jpg'))
      .autoOrient()
      .png()
      .toBuffer();
    for (const { report, data, name, format } of set) {
      expect(report.findings, `${name} ${format}`).toEqual([]);
      expect(report.clean).toBe(true);
      expect(await distance(data, upright), `${name} ${format}`).toBeLessThan(4);
    }
  });

  it('has AVIF where it is asked for', async () => {
    const photo = await photoBytes('waterfall.jpg');
    const made = await withImage(engine, photo, (image) =>
      image.encode({ name: 'thumbnail', format: 'avif', maxEdge: 300 }),
    );
    expect(made.report).toMatchObject({ clean: true, findings: [], width: 300, height: 200 });
    expect(await distance(made.data, await sharp(photo).autoOrient().png().toBuffer())).toBeLessThan(5);
  });

  it('is never larger than its source', async () => {
    const set = await fullSet('galaxy-m31-heath.heic');
    expect(set.map(({ name, width }) => `${name} ${width}`)).toContain('large 462');
  });

  it.runIf(exiftoolAvailable())('holds nothing private by the word of exiftool', async () => {
    for (const { data, name, format } of await fullSet('lumia-820-starfish.jpg'))
      expect(privateFindings(await readMetadata(Buffer.from(data))), `${name} ${format}`).toEqual([]);
  });

  it('makes JPEG progressive with halved colour', async () => {
    const [original] = await fullSet('waterfall.jpg');
    expect(await sharp(original?.data).metadata()).toMatchObject({
      isProgressive: true,
      chromaSubsampling: '4:2:0',
      hasProfile: false,
    });
  });
});

describe('the second look at an output', () => {
  const canvas = () => sharp({ create: { width: 40, height: 30, channels: 3, background: '#2266aa' } });
  const exif = {
    IFD0: { Copyright: 'somebody' },
    IFD3: { GPSLatitudeRef: 'N', GPSLatitude: '46/1 12/1 0/1' },
  };
  const look = (bytes: Uint8Array, format: OutputFormat, width = 40) =>
    verifyOutput(bytes, { format, width, height: 30 });

  it('finds EXIF, XMP and profiles in every format', async () => {
    const dirty = () =>
      canvas().withExif(exif).withXmp('<x:xmpmeta xmlns:x="adobe:ns:meta/"/>').withIccProfile('p3');
    expect(look(await dirty().jpeg({ progressive: true }).toBuffer(), 'jpeg').findings).toEqual(
      expect.arrayContaining(['APP1:Exif', 'APP1:XMP', 'APP2:ICC']),
    );
    expect(look(await dirty().png().toBuffer(), 'png').findings).toEqual(
      expect.arrayContaining(['eXIf', 'iCCP', 'zTXt:xmp']),
    );
    expect(look(await dirty().webp().toBuffer(), 'webp').findings).toEqual(
      expect.arrayContaining(['EXIF', 'XMP', 'ICCP', 'VP8X flags']),
    );
    expect(look(await dirty().avif().toBuffer(), 'avif').findings).toEqual(
      expect.arrayContaining(['item:Exif', 'meta/iprp/ipco/colr:rICC']),
    );
  });

  it('finds comments, bytes behind the end, a cut end, another format and another size', async () => {
    const jpeg = await canvas().jpeg({ progressive: true }).toBuffer();
    expect(look(jpeg, 'jpeg')).toMatchObject({ clean: true, findings: [], width: 40, height: 30 });
    expect(look(withComment(jpeg, Buffer.from('hello')), 'jpeg').findings).toEqual(['COM']);
    expect(look(Buffer.concat([jpeg, Buffer.from('x')]), 'jpeg').findings).toEqual(['trailing bytes']);
    expect(look(jpeg.subarray(0, -2), 'jpeg').findings).toEqual(['truncated']);
    expect(look(jpeg, 'jpeg', 41).findings).toEqual(['size']);
    expect(look(await canvas().png().toBuffer(), 'jpeg').findings).toContain('format:png');
    expect(look(await canvas().jpeg().toBuffer(), 'jpeg').findings).toEqual(['SOF0']);
    expect(look(Buffer.from('nothing'), 'jpeg')).toMatchObject({ clean: false, findings: ['unreadable'] });
  });

  it('finds bytes behind the end of PNG, WebP and AVIF', async () => {
    for (const format of ['png', 'webp', 'avif'] as const) {
      const bytes = await canvas().toFormat(format).toBuffer();
      expect(look(bytes, format), format).toMatchObject({ clean: true });
      expect(look(Buffer.concat([bytes, Buffer.alloc(9)]), format).findings, format).toEqual([
        'trailing bytes',
      ]);
    }
  });
});
