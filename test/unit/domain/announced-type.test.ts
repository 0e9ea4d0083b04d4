import { expect, test } from 'vitest';
import { isAnnounced } from '#src/domain/announced-type.ts';

test.each([
  ['jpeg', 'image/jpeg'],
  ['jpeg', 'image/jpg'],
  ['jpeg', 'IMAGE/JPEG; charset=binary'],
  ['heic', 'image/heif'],
  ['avif', 'image/avif'],
  ['png', ''],
  ['png', 'application/octet-stream'],
  ['png', null],
])('%s is what %s announces', (format, type) => {
  expect(isAnnounced(format, type)).toBe(true);
});

test.each([
  ['jpeg', 'image/png'],
  ['webp', 'image/jpeg'],
  ['png', 'application/pdf'],
  ['png', 'constructor'],
  ['avif', 'image/heic'],
])('%s is not what %s announces', (format, type) => {
  expect(isAnnounced(format, type)).toBe(false);
});
