import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createLocalDetector } from '#src/adapters/moderator/local.ts';
import { createRekognitionDetector } from '#src/adapters/moderator/rekognition.ts';
import { readModelVersions } from '#src/images/model-files.ts';
import type { ImageEngine } from '#src/ports/image-engine.ts';
import type { Detector } from '#src/ports/moderator.ts';
import { type FakeLabel, type FakeRekognition, startFakeRekognition } from '#test/fakes/rekognition.ts';
import { analysisOf } from '#test/support/analysis.ts';
import { photoBytes, testEngine, withImage } from '#test/unit/images/support.ts';
import { largePhoto } from '#test/support/large-photo.ts';
import sharp from 'sharp';
import { describeDetector } from './detector.contract.ts';

let fake: FakeRekognition;
let engine: ImageEngine;
let detector: Detector;

const create = () => createRekognitionDetector({ region: 'eu-central-1', endpoint: fake.endpoint });
const label = (
  Name: string,
  ParentName: string,
  TaxonomyLevel: 1 | 2 | 3,
  Confidence: number,
): FakeLabel => ({
  Name,
  ParentName,
  TaxonomyLevel,
  Confidence,
});

beforeAll(async () => {
  process.env['AWS_ACCESS_KEY_ID'] ??= 'test';
  process.env['AWS_SECRET_ACCESS_KEY'] ??= 'test';
  fake = await startFakeRekognition();
  engine = testEngine();
  detector = create();
});
afterAll(async () => {
  await detector.close();
  await engine.close();
  await fake.close();
});
afterEach(() => {
  fake.labels = [];
  fake.faults.length = 0;
  fake.images.length = 0;
});

const analysis = analysisOf({});
const detect = (bytes: Uint8Array, signal?: AbortSignal) =>
  withImage(engine, bytes, (image) => detector.detect({ image, analysis, category: null }, signal));
const dogs = () => photoBytes('dogs.jpg');

async function plain(width: number, height: number): Promise<Buffer> {
  const background = { r: 90, g: 120, b: 40, alpha: 0.5 };
  return sharp({ create: { width, height, channels: 4, background } })
    .png()
    .toBuffer();
}

describeDetector('the local one', async () => createLocalDetector({ current: await readModelVersions() }));
describeDetector('Rekognition', async () => create());

describe('Rekognition', () => {
  it('is told by its most exact categories, as fractions, with its version', async () => {
    fake.labels = [
      label('Violence', '', 1, 98.5),
      label('Weapons', 'Violence', 2, 98.5),
      label('Drugs & Tobacco', '', 1, 70),
      label('Drugs & Tobacco Paraphernalia & Use', 'Drugs & Tobacco', 2, 70),
      label('Smoking', 'Drugs & Tobacco Paraphernalia & Use', 3, 65),
      label('Explicit', '', 1, 12),
    ];
    const { labels, versions } = await detect(await dogs());
    expect(labels.map((found) => [found.label, found.confidence])).toEqual([
      ['weapons', 0.985],
      ['tobacco', 0.65],
    ]);
    expect(versions).toEqual({ rekognition: '7.0' });
  });

  it('is believed about categories of a later taxonomy, under their own name or that of their parent', async () => {
    fake.labels = [
      label('Explicit', '', 1, 90),
      label('Something New', 'Explicit', 2, 90),
      label('Deep Fakes!', '', 1, 80),
    ];
    const { labels } = await detect(await dogs());
    expect(labels.map((found) => found.label)).toEqual(['explicit_nudity', 'deep_fakes_']);
  });

  it('remembers that it saw nothing', async () => {
    const seen = await detect(await dogs());
    expect(seen.labels).toMatchObject([{ label: 'nothing', confidence: 0 }]);
    expect(detector.recall({ analysis: null, scores: seen.labels })).toEqual(seen);
  });

  it('is sent a JPEG within its limits of a large photo, of one with transparency, and of a panorama', async () => {
    await detect(await largePhoto());
    await detect(await plain(300, 200));
    await detect(await plain(4000, 60));
    expect(fake.images.map(({ width, height }) => Math.max(width, height))).toEqual([1200, 300, 4000]);
    expect(fake.images.every(({ bytes }) => bytes < 1024 * 1024)).toBe(true);
  });

  it('is not asked about a photo that is too small for it: that is doubt', async () => {
    const { labels } = await detect(await plain(200, 40));
    expect(labels).toMatchObject([{ label: 'too_small_to_see', confidence: 1 }]);
    expect(fake.images).toEqual([]);
  });

  it.each(['throttled', 'too many', 'broken', 'unavailable', 'denied', 'lost', 'garbage'] as const)(
    'that answers "%s" is not available, and is asked once only',
    async (fault) => {
      fake.faults.push(fault);
      const before = fake.calls;
      await expect(detect(await dogs())).rejects.toMatchObject({
        code: 'MODERATOR_UNAVAILABLE',
        retryable: true,
      });
      expect(fake.calls - before).toBe(1);
    },
  );

  it('that is silent is left when the caller has waited long enough', async () => {
    fake.faults.push('silent');
    await expect(detect(await dogs(), AbortSignal.timeout(1000))).rejects.toMatchObject({ code: 'ABORTED' });
  });
});
