import { expect, test } from 'vitest';
import { ERROR_CODES, isErrorCode, isStorageError, StorageError } from '#src/domain/errors.ts';

test('an error has its code, a public message, private details and a cause', () => {
  const cause = new Error('ECONNRESET');
  const error = new StorageError('BUSY', 'Come back.', { details: { host: 'db' }, retryAfter: 2, cause });
  expect(error).toMatchObject({
    name: 'StorageError',
    code: 'BUSY',
    message: 'Come back.',
    retryAfter: 2,
    cause,
  });
  expect(error.retryable).toBe(true);
  expect(error.details).toEqual({ host: 'db' });
});

test('without a message it says its title, without a cause it has none', () => {
  for (const [code, { title, retryable }] of Object.entries(ERROR_CODES)) {
    if (!isErrorCode(code)) throw new Error(`Expected ${code} to be known`);
    const error = new StorageError(code);
    expect(error.message).toBe(`${title}.`);
    expect(error.retryable).toBe(retryable);
    expect('cause' in error).toBe(false);
    expect(error.details).toEqual({});
  }
});

test('only codes of the list are codes, only errors of the family are of the family', () => {
  for (const text of ['', 'toString', 'constructor', 'busy']) expect(isErrorCode(text)).toBe(false);
  expect(isStorageError(new StorageError('BUSY'))).toBe(true);
  expect(isStorageError(new StorageError('BUSY'), 'BUSY')).toBe(true);
  expect(isStorageError(new StorageError('BUSY'), 'INTERNAL')).toBe(false);
  for (const other of [new Error('x'), { code: 'BUSY' }, null, undefined, 'BUSY'])
    expect(isStorageError(other)).toBe(false);
});

test('no title names an internal', () => {
  for (const { title } of Object.values(ERROR_CODES))
    expect(title).not.toMatch(/postgres|redis|bullmq|s3|sharp/i);
});
