import { expect, it } from 'vitest';
import { detectorUsd } from '#src/domain/moderation-cost.ts';

it('a month at Rekognition costs less a photo from each step on', () => {
  expect(detectorUsd('rekognition', 0)).toBe(0);
  expect(detectorUsd('rekognition', 1_000_000)).toBeCloseTo(1000);
  expect(detectorUsd('rekognition', 2_000_000)).toBeCloseTo(1800);
  expect(detectorUsd('rekognition', 36_000_000)).toBeCloseTo(1000 + 3200 + 18_000 + 250);
});

it('what another detector would charge is not known', () => {
  expect(detectorUsd('local', 10)).toBeNull();
});
