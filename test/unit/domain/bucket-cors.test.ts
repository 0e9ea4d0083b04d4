import { expect, test } from 'vitest';
import { bucketCors } from '#src/domain/bucket-cors.ts';

test('pages of our origins may post a form to the bucket, and nothing else', () => {
  expect(bucketCors(['https://localex.com', 'http://127.0.0.1:8787', 'https://localex.com'])).toEqual([
    expect.objectContaining({
      AllowedOrigins: ['https://localex.com', 'http://127.0.0.1:8787'],
      AllowedMethods: ['POST'],
    }),
  ]);
});

test.each([
  '*',
  'https://*.localex.com',
  'localex.com',
  'https://localex.com/',
  'https://localex.com/a',
  'null',
  '',
])('%j is no origin that a rule may name', (origin) => {
  expect(() => bucketCors([origin])).toThrow(expect.objectContaining({ code: 'INVALID_CONFIGURATION' }));
});

test('rules without any origin are refused', () => {
  expect(() => bucketCors([])).toThrow(expect.objectContaining({ code: 'INVALID_CONFIGURATION' }));
});
