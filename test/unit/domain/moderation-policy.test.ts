import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decide, type ModerationPolicy, policyVersion } from '#src/domain/moderation-policy.ts';
import { blindSpotsOf } from '#src/domain/moderation-subjects.ts';

const POLICY: ModerationPolicy = {
  name: 'for tests',
  labels: {
    porn: { review: 0.35, reject: 0.9 },
    gun: { review: 0.1, reject: 'never' },
    swimwear: { review: 'never', reject: 'never' },
  },
  otherLabels: { review: 0.5, reject: 'never' },
  categories: { toys: { gun: { review: 0.6, reject: 'never' } } },
};
const seen = (label: string, confidence: number) => ({ label, confidence });
const verdict = (label: string, confidence: number, category: string | null = null) =>
  decide(POLICY, [seen(label, confidence)], category).verdict;

describe('a policy', () => {
  it.each([
    ['porn', 0.34, 'publish'],
    ['porn', 0.35, 'review'],
    ['porn', 0.89, 'review'],
    ['porn', 0.9, 'reject'],
    ['gun', 0.09, 'publish'],
    ['gun', 1, 'review'],
    ['swimwear', 1, 'publish'],
  ] as const)('makes of %s at %f: %s', (label, confidence, expected) => {
    expect(verdict(label, confidence)).toBe(expected);
  });

  it('has other rules for a category, however that is written', () => {
    expect(verdict('gun', 0.5, ' Toys ')).toBe('publish');
    expect(verdict('gun', 0.6, 'toys')).toBe('review');
    expect(verdict('gun', 0.5, 'tools')).toBe('review');
    expect(verdict('porn', 0.5, 'toys')).toBe('review');
  });

  it('takes what it does not name for doubt, also names that every object has', () => {
    for (const label of ['a_new_label', 'constructor', '__proto__', 'toString']) {
      expect(verdict(label, 0.5)).toBe('review');
      expect(verdict(label, 0.49)).toBe('publish');
      expect(decide(POLICY, [seen('gun', 0.2)], label).verdict).toBe('review');
    }
  });

  it('names what led to the verdict, highest first, with the threshold that it reached', () => {
    const { labels } = decide(POLICY, [seen('gun', 0.2), seen('porn', 0.95), seen('swimwear', 1)], null);
    expect(labels).toEqual([
      { label: 'porn', confidence: 0.95, outcome: 'reject', threshold: 0.9 },
      { label: 'gun', confidence: 0.2, outcome: 'review', threshold: 0.1 },
    ]);
  });

  it('never publishes more because more was seen', () => {
    const label = fc.record({
      label: fc.constantFrom('porn', 'gun', 'swimwear', 'other'),
      confidence: fc.double({ min: 0, max: 1, noNaN: true }),
    });
    const strictness = { publish: 0, review: 1, reject: 2 };
    fc.assert(
      fc.property(fc.array(label, { maxLength: 6 }), label, (some, another) => {
        const before = strictness[decide(POLICY, some, null).verdict];
        expect(strictness[decide(POLICY, [...some, another], null).verdict]).toBeGreaterThanOrEqual(before);
      }),
    );
  });

  it('has a version of its rules, not of their order or their name', () => {
    const { porn, gun, swimwear } = POLICY.labels;
    if (porn === undefined || gun === undefined || swimwear === undefined) throw new Error('no rules');
    const version = policyVersion(POLICY);
    expect(version).toMatch(/^[0-9a-f]{12}$/);
    expect(policyVersion({ ...POLICY, name: 'other', labels: { swimwear, gun, porn } })).toBe(version);
    expect(policyVersion({ ...POLICY, labels: { porn, gun, swimwear: gun } })).not.toBe(version);
    expect(policyVersion({ ...POLICY, categories: {} })).not.toBe(version);
  });
});

it('what one of several sees is no blind spot', () => {
  const local = ['pornography', 'firearms'] as const;
  expect(blindSpotsOf([local])).toContain('violence');
  expect(blindSpotsOf([local])).not.toContain('firearms');
  expect(blindSpotsOf([local, ['violence']])).not.toContain('violence');
});
