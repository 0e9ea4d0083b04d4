import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { buffer } from 'node:stream/consumers';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createFilesystemObjectStore } from '#src/adapters/object-store/filesystem.ts';
import { fileId, itemId } from '#src/domain/ids.ts';
import { parsePublicKey, publicKey } from '#src/domain/keys.ts';
import { createImageProcessingService } from '#src/services/image-processing.service.ts';
import { createStorageService, type StorageService } from '#src/services/storage.service.ts';
import { distance, photoBytes, testEngine } from '#test/unit/images/support.ts';
import * as hostile from '#test/support/hostile.ts';
import * as unusual from '#test/support/unusual.ts';

const images = testEngine();
let root: string;
let storage: StorageService;
let service: ReturnType<typeof createImageProcessingService>;

beforeAll(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'localex-images-'));
  const store = await createFilesystemObjectStore({
    root,
    fsync: false,
    publicUrl: 'http://127.0.0.1',
    signingKey: Buffer.alloc(32, 1),
  });
  storage = createStorageService({ store });
  service = createImageProcessingService({ images, storage });
});
afterAll(async () => {
  await images.close();
  await rm(root, { recursive: true, force: true });
});

const FILE = '0190a000-0000-7000-8000-000000000001';
const ORIGINAL = publicKey({
  kind: 'item_photo',
  scope: itemId('bicycle'),
  variant: 'original',
  fileId: fileId(FILE),
  hash12: '0123456789ab',
  format: 'jpeg',
});
const stored = async (key: string) => buffer((await storage.downloadFile(key)).body);
const put = (key: string, bytes: Uint8Array) =>
  storage.uploadFile(bytes, { key, contentType: 'image/jpeg', access: 'public' });

describe('processImage', () => {
  it('makes the whole set of an item photo from one decode, and looks at it', async () => {
    const { facts, analysis, variants } = await service.processImage(await photoBytes('lake.jpg'));
    expect(facts).toMatchObject({ width: 1200, height: 1800 });
    expect(analysis.fingerprint.hash).toHaveLength(64);
    expect(variants.map(({ name, format }) => `${name}.${format}`)).toEqual([
      'original.jpeg',
      'large.jpeg',
      'large.webp',
      'medium.jpeg',
      'medium.webp',
      'thumbnail.jpeg',
      'thumbnail.webp',
    ]);
    expect(variants.every(({ report }) => report.clean)).toBe(true);
  });

  it('makes original and thumbnail of a profile photo', async () => {
    const { variants } = await service.processImage(await photoBytes('lake.jpg'), { kind: 'profile_photo' });
    expect(new Set(variants.map(({ name }) => name))).toEqual(new Set(['original', 'thumbnail']));
  });

  it('hands out nothing when an output is not clean', async () => {
    const dirty = createImageProcessingService({
      storage,
      images: {
        ...images,
        async open(bytes, options) {
          const image = await images.open(bytes, options);
          return {
            ...image,
            async encode(variant, signal) {
              const made = await image.encode(variant, signal);
              return { ...made, report: { ...made.report, clean: false, findings: ['APP1:Exif'] } };
            },
          };
        },
      },
    });
    await expect(dirty.processImage(await photoBytes('lake.jpg'))).rejects.toMatchObject({
      code: 'PROCESSING_FAILED',
      details: { findings: ['APP1:Exif'] },
    });
  });
});

describe('generateThumbnails', () => {
  it('puts the smaller sizes beside their original, and leaves what is there alone', async () => {
    await put(ORIGINAL, await photoBytes('waterfall.jpg'));
    const made = await service.generateThumbnails(ORIGINAL);
    expect(made.map(({ key, isNew }) => [key, isNew])).toContainEqual([
      `items/thumbnail/bicycle/${FILE}-0123456789ab.webp`,
      true,
    ]);
    expect(made).toHaveLength(6);
    for (const { key, width, bytes } of made) {
      const object = await stored(key);
      expect(object).toHaveLength(bytes);
      expect((await sharp(object).metadata()).width).toBe(width);
    }
    expect((await service.generateThumbnails(ORIGINAL)).every(({ isNew }) => !isNew)).toBe(true);
  });

  it('refuses what is not an original, and what is not there', async () => {
    const thumbnail = ORIGINAL.replace('/original/', '/thumbnail/');
    await expect(service.generateThumbnails(thumbnail)).rejects.toMatchObject({ code: 'INVALID_REQUEST' });
    const missing = ORIGINAL.replace('bicycle', 'nothing');
    await expect(service.generateThumbnails(missing)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});

describe('optimizeImage', () => {
  it('stores a smaller encoding under a key of its own', async () => {
    const heavy = await sharp(await photoBytes('waterfall.jpg'))
      .autoOrient()
      .jpeg({ quality: 98 })
      .toBuffer();
    const key = ORIGINAL.replace('bicycle', 'lamp');
    await put(key, heavy);
    const result = await service.optimizeImage(key);
    expect(result).toMatchObject({ isNew: true, bytesBefore: heavy.length });
    expect(result.key).not.toBe(key);
    expect(parsePublicKey(result.key)).toMatchObject({ variant: 'original', fileId: FILE });
    const smaller = await stored(result.key);
    expect(smaller).toHaveLength(result.bytesAfter);
    expect(smaller.length).toBeLessThan(heavy.length * 0.7);
    expect(await distance(smaller, heavy)).toBeLessThan(2);
    expect(await stored(key)).toHaveLength(heavy.length);
  });

  it('leaves an image alone that would not get smaller', async () => {
    const key = ORIGINAL.replace('bicycle', 'chair');
    await put(key, (await service.removeExif(await photoBytes('lake.jpg'))).data);
    expect(await service.optimizeImage(key)).toMatchObject({ key, isNew: false });
  });

  it('refuses keys that are not public images', async () => {
    await expect(service.optimizeImage(`temp/uploads/${FILE}`)).rejects.toMatchObject({
      code: 'INVALID_REQUEST',
    });
  });
});

describe('validateImage', () => {
  it('takes a real photo and says what will be changed', async () => {
    expect(await service.validateImage(await photoBytes('nuthatch.jpg'))).toMatchObject({
      header: { format: 'jpeg', width: 6028 },
      warnings: ['SCALED_DOWN'],
    });
  });

  it('refuses what does not decode to its end, and what is no photo', async () => {
    const { bytes } = await hostile.truncatedJpeg();
    await expect(service.validateImage(bytes)).rejects.toMatchObject({ code: 'INVALID_IMAGE' });
    await expect(service.validateImage(hostile.svgNamedJpg().bytes)).rejects.toMatchObject({
      code: 'UNSUPPORTED_TYPE',
    });
  });
});

describe('extractMetadata', () => {
  it('reads camera, time and whether there is a place, and keeps the place back', async () => {
    expect(await service.extractMetadata(await photoBytes('iphone-13-pro-pug.heic'))).toMatchObject({
      format: 'heic',
      camera: 'Apple iPhone 13 Pro',
      takenAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/),
      hasLocation: true,
      hasColourProfile: true,
      location: null,
    });
  });

  it('gives the place when its owner asks for it', async () => {
    const photo = await photoBytes('lumia-820-starfish.jpg');
    const { location } = await service.extractMetadata(photo, { includeLocation: true });
    // As exiftool reads it.
    expect(location?.latitude).toBeCloseTo(55.03876, 4);
    expect(location?.longitude).toBeCloseTo(8.45719, 4);
  });

  it('gives the size as it is seen, and nulls for a file that says nothing', async () => {
    expect(await service.extractMetadata(await photoBytes('waterfall.jpg'))).toMatchObject({
      width: 1800,
      height: 1200,
      orientation: 6,
    });
    expect(await service.extractMetadata((await unusual.alphaPng()).bytes)).toMatchObject({
      camera: null,
      takenAt: null,
      hasLocation: false,
      hasAlpha: true,
    });
  });
});

describe('removeExif', () => {
  it('leaves the picture and nothing else', async () => {
    const photo = await photoBytes('waterfall.jpg');
    const { data, format, width } = await service.removeExif(photo);
    expect({ format, width }).toEqual({ format: 'jpeg', width: 1800 });
    const metadata = await sharp(data).metadata();
    expect([metadata.exif, metadata.xmp, metadata.iptc, metadata.icc, metadata.orientation]).toEqual(
      Array.from({ length: 5 }, () => undefined),
    );
    expect(await distance(data, await sharp(photo).autoOrient().png().toBuffer())).toBeLessThan(2);
  });

  it('keeps transparency', async () => {
    const { data, format } = await service.removeExif((await unusual.alphaPng()).bytes);
    expect(format).toBe('webp');
    expect((await sharp(data).stats()).isOpaque).toBe(false);
  });
});
