import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { findForeignContent } from '#src/adapters/scanner/basic/structure.ts';
import { MalformedContainer, readContainer } from '#src/domain/containers/container.ts';
import { REFUSED_BOMBS } from '#test/hostile/bombs.ts';
import { photoPath } from '#test/support/photos.ts';

const lists = REFUSED_BOMBS.filter(({ code }) => code === 'INVALID_IMAGE');

test.each(lists)('$name is given up before it fills the memory', async ({ make }) => {
  const { bytes } = await make();
  const before = process.memoryUsage.rss();
  expect(() => readContainer(bytes)).toThrow(MalformedContainer);
  expect((process.memoryUsage.rss() - before) / 1e6).toBeLessThan(100);
});

test('pictures behind a picture without end are not stepped over one by one', async () => {
  const photo = await readFile(photoPath('waterfall.jpg'));
  const tiny = Buffer.from('ffd8ffc000080800010001ffd9', 'hex');
  const started = performance.now();
  expect(findForeignContent(Buffer.concat([photo, Buffer.alloc(9_000_000, tiny)]))).toBe(
    'Basic.Appended.TooManyPictures',
  );
  expect(performance.now() - started).toBeLessThan(1000);
  expect(findForeignContent(Buffer.concat([photo, ...Array<Buffer>(50).fill(tiny)]))).toBeNull();
});
