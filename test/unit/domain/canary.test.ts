import { expect, test } from 'vitest';
import { distrustAfter, isBelieved } from '#src/domain/canary.ts';
import { eicarFile, hasEicar } from '#src/domain/eicar.ts';

test('a scanner is distrusted until it is ok again, however long it is silent', () => {
  expect(distrustAfter('blind', null)).toBe('blind');
  expect(distrustAfter('silent', 'blind')).toBe('blind');
  expect(distrustAfter('accusing', 'blind')).toBe('accusing');
  expect(distrustAfter('ok', 'blind')).toBeNull();
  expect(distrustAfter('silent', null)).toBeNull();
});

test('a blind scanner is believed when it finds something, an accusing one never', () => {
  expect([isBelieved('clean', null), isBelieved('infected', null)]).toEqual([true, true]);
  expect([isBelieved('clean', 'blind'), isBelieved('infected', 'blind')]).toEqual([false, true]);
  expect([isBelieved('clean', 'accusing'), isBelieved('infected', 'accusing')]).toEqual([false, false]);
});

test('the test file has 68 bytes, and is found where it begins late', () => {
  expect(eicarFile()).toHaveLength(68);
  expect(hasEicar(Buffer.concat([Buffer.alloc(9), eicarFile()]))).toBe(true);
});
