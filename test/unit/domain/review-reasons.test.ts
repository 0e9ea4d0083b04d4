import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { isReasonCode, REASON_CODES, REVIEW_REASONS, sellerMessage } from '#src/domain/review-reasons.ts';
import { reportersToHide } from '#src/domain/moderation-policy.ts';
import { ModerationPolicySchema } from '#src/services/moderation/policy-schema.ts';
import { REASON_KEYS } from '../../../web/src/review/words.ts';

test('theft and private data never keep a picture out: it is the victim’s', () => {
  for (const code of ['stolen_photo', 'private_data'] as const)
    expect(REVIEW_REASONS[code].isBanned).toBe(false);
});

test.each(REASON_CODES)('%s tells the seller what is wrong and what to do, and names no machine', (code) => {
  const { title, message } = REVIEW_REASONS[code];
  expect(message).toMatch(/^The photo [^.]+\.( [A-Z].+\.)?$/);
  expect(`${title} ${message}`).not.toMatch(/model|confidence|moderat|null|_/i);
});

test('words of a moderator stand alone, or behind those of the list', () => {
  expect(sellerMessage(null, 'No dogs.')).toBe('No dogs.');
  expect(sellerMessage('weapon', '')).toBe(REVIEW_REASONS.weapon.message);
  expect(sellerMessage('weapon', 'A sword.')).toBe(
    `${REVIEW_REASONS.weapon.message} The moderator adds: A sword.`,
  );
  expect(isReasonCode('toString')).toBe(false);
});

test('the documentation has the same table as the code and the shipped policy', () => {
  const policy = ModerationPolicySchema.parse(
    JSON.parse(readFileSync(new URL('../../../policies/moderation.json', import.meta.url), 'utf8')),
  );
  const document = readFileSync(new URL('../../../docs/storage/safety.md', import.meta.url), 'utf8');
  const rows = [...document.matchAll(/^\| `(\w+)` \|(.*)\|(.*)\|(.*)\|$/gm)].map(
    ([, code, banned = '', words = '', reports = '']) => [
      code,
      banned.trim() === 'yes',
      words.trim() === 'yes',
      reports.trim() === '' ? 'never' : Number(reports),
    ],
  );
  const expected = REASON_CODES.map((code) => {
    const { isBanned, needsText } = REVIEW_REASONS[code];
    return [code, isBanned, needsText, reportersToHide(policy, code)];
  });
  expect(rows.filter(([code]) => isReasonCode(String(code)))).toEqual(expected);
});

test('every reason has a key of its own, which does nothing else', () => {
  expect([...REASON_KEYS.values()].toSorted()).toEqual([...REASON_CODES].toSorted());
  for (const key of REASON_KEYS.keys()) expect('arubhx').not.toContain(key);
});
