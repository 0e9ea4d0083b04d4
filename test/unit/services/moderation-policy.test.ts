import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { decide, isHidden } from '#src/domain/moderation-policy.ts';
import { ModerationPolicySchema, policyProblems } from '#src/services/moderation/policy-schema.ts';

const shipped = async (): Promise<unknown> =>
  JSON.parse(await readFile(new URL('../../../policies/moderation.json', import.meta.url), 'utf8'));

const RULE = { review: 0.5, reject: 'never' };
const POLICY = { name: 'x', labels: { gun: RULE }, otherLabels: RULE, categories: {} };

function problemsOf(value: unknown): readonly string[] {
  const parsed = ModerationPolicySchema.safeParse(value);
  return parsed.success ? [] : policyProblems(parsed.error, value);
}

describe('the file of a policy', () => {
  it('is shipped, and sends doubt to people', async () => {
    const policy = ModerationPolicySchema.parse(await shipped());
    const verdict = (label: string, confidence: number) =>
      decide(policy, [{ label, confidence }], null).verdict;
    expect([verdict('porn', 0.3), verdict('porn', 0.4), verdict('porn', 0.95)]).toEqual([
      'publish',
      'review',
      'reject',
    ]);
    expect(verdict('never_heard_of', 0.9)).toBe('review');
    const hidden = ['gun', 'porn', 'phone', 'qr', 'same_photo_elsewhere', 'never_heard_of'].filter((label) =>
      isHidden(policy, [{ label, confidence: 1 }], null),
    );
    expect(hidden).toEqual(['gun', 'porn']);
  });

  it.each([
    [
      'a number that is none',
      { labels: { gun: { review: 2, reject: 'never' } } },
      /^labels\.gun\.review: holds 2, expected a number from 0 to 1/,
    ],
    [
      'a word that is not "never"',
      { otherLabels: { review: 'always', reject: 'never' } },
      /^otherLabels\.review: holds "always"/,
    ],
    [
      'a rule that refuses before it doubts',
      { labels: { gun: { review: 0.9, reject: 0.5 } } },
      /^labels\.gun\.reject: holds 0\.5, expected no less than review/,
    ],
    [
      'a rule that hides what it does not doubt',
      { labels: { gun: { ...RULE, hide: 0.4 } } },
      /^labels\.gun\.hide: holds 0\.4, expected no less than review/,
    ],
    ['half a rule', { labels: { gun: { review: 0.5 } } }, /^labels\.gun\.reject: holds nothing/],
    ['a word that it does not know', { catgories: {} }, /^the whole: .*catgories/],
    ['a category that nothing would match', { categories: { Toys: {} } }, /^categories\.Toys: /],
  ])('is refused with place and value: %s', (_what, change, expected) => {
    const problems = problemsOf({ ...POLICY, ...change });
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(expected);
  });

  it('is refused with all that is wrong at once', () => {
    expect(problemsOf({ ...POLICY, name: '', labels: { gun: { review: -1, reject: 7 } } })).toHaveLength(3);
  });
});
