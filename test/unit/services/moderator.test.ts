import { describe, expect, it } from 'vitest';
import { StorageError } from '#src/domain/errors.ts';
import type { ModerationPolicy } from '#src/domain/moderation-policy.ts';
import type { Detection, Detector } from '#src/ports/moderator.ts';
import { createModerator } from '#src/services/moderation/moderator.ts';
import { analysisOf, UNASKED_IMAGE } from '#test/support/analysis.ts';

const POLICY: ModerationPolicy = {
  name: 'for tests',
  labels: { gun: { review: 0.5, reject: 0.9 } },
  otherLabels: { review: 'never', reject: 'never' },
  categories: {},
};
const PHOTO = { image: UNASKED_IMAGE, analysis: analysisOf({}), category: null };

function detector(name: string, detect: Detector['detect'], isCharged = false): Detector {
  const nothing = () => Promise.resolve();
  return { name, sees: [], isCharged, detect, recall: () => null, ping: nothing, close: nothing };
}
const seeing = (label: string, confidence: number, model: string): Detection => ({
  labels: [{ label, confidence, region: null, model, version: '1' }],
  versions: { [model]: '1' },
});

function moderatorOf(...detectors: Detector[]) {
  const charged: string[] = [];
  const onCharge = async (name: string) => void charged.push(name);
  return { moderator: createModerator({ detectors, policy: POLICY, onCharge }), charged };
}

describe('a moderator of two detectors', () => {
  it('decides on what both saw, and keeps all of it with models and policy', async () => {
    const { moderator } = moderatorOf(
      detector('a', async () => seeing('gun', 0.2, 'model-a')),
      detector('b', async () => seeing('gun', 0.95, 'model-b')),
    );
    const result = await moderator.moderate(PHOTO);
    expect(result).toMatchObject({
      verdict: 'reject',
      moderator: 'a+b',
      versions: { 'model-a': '1', 'model-b': '1' },
      policy: { name: 'for tests' },
    });
    expect(result.labels).toMatchObject([{ model: 'model-b', outcome: 'reject', threshold: 0.9 }]);
    expect(result.scores.map(({ confidence }) => confidence)).toEqual([0.2, 0.95]);
  });

  it('gives no verdict when one of them does not answer, and calls the other off', async () => {
    let isCalledOff = false;
    const { moderator } = moderatorOf(
      detector('a', () => Promise.reject(new StorageError('MODERATOR_UNAVAILABLE'))),
      detector('b', (_photo, signal) => {
        signal?.addEventListener('abort', () => {
          isCalledOff = true;
        });
        return Promise.resolve(seeing('gun', 0, 'model-b'));
      }),
    );
    await expect(moderator.moderate(PHOTO)).rejects.toMatchObject({ code: 'MODERATOR_UNAVAILABLE' });
    expect(isCalledOff).toBe(true);
  });

  it('counts each photo of the one that charges, once it answered', async () => {
    let isDown = true;
    const paid = detector(
      'paid',
      async () => {
        if (isDown) throw new StorageError('MODERATOR_UNAVAILABLE');
        return seeing('gun', 0, 'model-b');
      },
      true,
    );
    const { moderator, charged } = moderatorOf(
      detector('free', async () => seeing('gun', 0, 'model-a')),
      paid,
    );
    await expect(moderator.moderate(PHOTO)).rejects.toMatchObject({ code: 'MODERATOR_UNAVAILABLE' });
    isDown = false;
    await moderator.moderate(PHOTO);
    expect(charged).toEqual(['paid']);
  });
});
