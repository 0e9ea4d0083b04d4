import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DecodedImage, ImageAnalysis, ImageEngine } from '#src/ports/image-engine.ts';
import type { Detector } from '#src/ports/moderator.ts';
import { photoBytes, testEngine } from '#test/unit/images/support.ts';

/** What every detector must do, on a real photo. */
export function describeDetector(name: string, create: () => Promise<Detector>): void {
  describe(`${name} as a detector`, () => {
    let detector: Detector;
    let engine: ImageEngine;
    let image: DecodedImage;
    let analysis: ImageAnalysis;

    beforeAll(async () => {
      detector = await create();
      engine = testEngine();
      image = await engine.open(await photoBytes('dogs.jpg'), { kind: 'item_photo' });
      analysis = await image.analyse();
    });
    afterAll(async () => {
      await image.close();
      await engine.close();
      await detector.close();
    });
    const detect = (signal?: AbortSignal) => detector.detect({ image, analysis, category: null }, signal);

    it('gives each label a probability, and the model and version that it names', async () => {
      const { labels, versions } = await detect();
      expect(labels.length).toBeGreaterThan(0);
      for (const { label, confidence, model, version } of labels) {
        expect(label).toMatch(/^[a-z][a-z0-9_]*$/);
        expect(confidence).toBeGreaterThanOrEqual(0);
        expect(confidence).toBeLessThanOrEqual(1);
        expect(versions[model]).toBe(version);
      }
    });

    it('recalls what it saw from what is stored, and nothing of a photo that it has not seen', async () => {
      const seen = await detect();
      const recalled = detector.recall({ analysis, scores: seen.labels });
      expect(recalled?.labels).toEqual(seen.labels);
      expect(detector.recall({ analysis: null, scores: [] })).toBeNull();
    });

    it('can be called off', async () => {
      await expect(detect(AbortSignal.abort())).rejects.toMatchObject({ code: 'ABORTED' });
    });

    it('says what it is able to see', async () => {
      expect(detector.sees.length).toBeGreaterThan(0);
      await detector.ping();
    });
  });
}
