import { describe, expect, test } from 'vitest';
import { ERROR_CODES } from '#src/domain/errors.ts';
import { adviceFor, isAdviceCode } from '../../../web/src/upload/advice.ts';

describe('the table of reasons', () => {
  test.each(Object.keys(ERROR_CODES))('says what happened and what to do about %s', (code) => {
    expect(isAdviceCode(code)).toBe(true);
    const { what, next } = adviceFor(code);
    expect(what).toMatch(/^[A-Z].{8,}\.$/);
    expect(next).toMatch(/^[A-Z].{5,}\.$/);
  });

  test('names no internals', () => {
    const sentences = Object.keys(ERROR_CODES).map((code) => JSON.stringify(adviceFor(code)));
    for (const sentence of sentences)
      expect(sentence).not.toMatch(/postgres|redis|bullmq|sharp|exception|null|undefined/i);
  });

  test('offers another try for everything that may pass by itself', () => {
    const passing = Object.entries(ERROR_CODES).filter(([, { retryable }]) => retryable);
    expect(passing.filter(([code]) => !adviceFor(code).retry)).toEqual([]);
  });

  test('has an answer for a code it has never seen', () => {
    expect(isAdviceCode('toString')).toBe(false);
    expect(adviceFor('SOMETHING_NEW')).toEqual(adviceFor('INTERNAL'));
  });
});
