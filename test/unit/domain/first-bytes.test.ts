import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { FIRST_BYTES, formatsByFirstBytes } from '#src/domain/first-bytes.ts';
import { htmlNamedJpg, pdf } from '#test/support/hostile.ts';
import { photoPath } from '#test/support/photos.ts';

test.each([
  ['lake.jpg', ['jpeg']],
  ['slings.webp', ['webp']],
  ['iphone-8-plus-arrow.heic', ['heic', 'avif']],
])('the first bytes of %s say %j', async (name, formats) => {
  const bytes = await readFile(photoPath(name));
  expect(formatsByFirstBytes(bytes)).toEqual(formats);
  expect(formatsByFirstBytes(bytes.subarray(0, FIRST_BYTES))).toEqual(formats);
});

test('the first bytes of what is no photo say nothing', async () => {
  for (const { bytes } of [htmlNamedJpg(), pdf()]) expect(formatsByFirstBytes(bytes)).toEqual([]);
  for (const bytes of [Buffer.alloc(0), Buffer.from([0xff]), Buffer.from('RIFF1234WAVE'), Buffer.alloc(12)])
    expect(formatsByFirstBytes(bytes)).toEqual([]);
});
