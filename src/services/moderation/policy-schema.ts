import { z } from 'zod';
import { REASON_CODES } from '../../domain/review-reasons.ts';
import type { ModerationPolicy } from '../../domain/moderation-policy.ts';

const EXPECTED = { error: 'expected a number from 0 to 1, or "never"' };
const Threshold = z.union([z.number().min(0, EXPECTED).max(1, EXPECTED), z.literal('never')], EXPECTED);

const Rule = z
  .strictObject({ review: Threshold, reject: Threshold, hide: Threshold.optional() })
  .refine(({ review, reject }) => review === 'never' || reject === 'never' || reject >= review, {
    path: ['reject'],
    error: 'expected no less than review',
  })
  .refine(({ review, hide = 'never' }) => hide === 'never' || (review !== 'never' && hide >= review), {
    path: ['hide'],
    error: 'expected no less than review',
  });

const Label = z.string().regex(/^[a-z][a-z0-9_]{0,39}$/, 'expected a label in lower case, such as gun');
const Rules = z.record(Label, Rule);
const Category = z
  .string()
  .max(100)
  .refine((name) => name !== '' && name === name.trim().toLowerCase(), {
    error: 'expected a category in lower case',
  });

const PEOPLE = { error: 'expected a number of people from 1 to 1000, or "never"' };
const Reporters = z.union([z.int().min(1).max(1000), z.literal('never')], PEOPLE);

/** A policy as its file has it. */
export const ModerationPolicySchema: z.ZodType<ModerationPolicy> = z.strictObject({
  name: z.string().trim().min(1).max(100),
  labels: Rules,
  otherLabels: Rule,
  categories: z.record(Category, Rules),
  reports: z.partialRecord(z.enum(REASON_CODES), Reporters).optional(),
});

/** What is wrong with a policy, one line a place: where, what it holds, what was expected. */
export function policyProblems(error: z.ZodError, value: unknown): readonly string[] {
  return error.issues.map((issue) => {
    const held = issue.path.reduce<unknown>(inside, value);
    const where = issue.path.length === 0 ? 'the whole' : issue.path.map(String).join('.');
    return `${where}: holds ${JSON.stringify(held) ?? 'nothing'}, ${issue.message}`;
  });
}

function inside(value: unknown, name: PropertyKey): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  return Object.entries(value).find(([key]) => key === String(name))?.[1];
}
