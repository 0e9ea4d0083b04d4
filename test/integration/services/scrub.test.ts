import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { listVariants } from '#src/db/variants.ts';
import { fileId } from '#src/domain/ids.ts';
import { expectNoOrphans, startApp, storedKeys, type TestApp, untilDelivered } from '#test/support/app.ts';
import { harmTo } from '#test/support/harm.ts';
import { expectWhole, readyPhoto, scrub } from './scrub-harness.ts';

let app: TestApp;
let harm: ReturnType<typeof harmTo>;
beforeAll(async () => {
  app = await startApp();
  harm = harmTo(app.dataDir);
});
afterAll(() => app.close());

const rowsOf = (id: string) => listVariants(app.db, [fileId(id)]);

describe('a store as it should be', () => {
  test('is found to be right, and is not read again by a look that reads nothing needless', async () => {
    await readyPhoto(app);
    const first = await scrub(app, { deep: false });
    expect(first.run.result).toMatchObject({ checked: 7, read: 7, damaged: 0, missing: 0, mislabelled: 0 });
    const second = await scrub(app, { deep: false });
    expect(second.run.result).toMatchObject({ checked: 7, read: 0, bytes: 0 });
    const deep = await scrub(app, { deep: true });
    expect(deep.run.result).toMatchObject({ checked: 7, read: 7 });
    expect(deep.run.progress).toMatchObject({ done: 7, total: 7 });
    expect(deep.actions).toEqual([]);
  });
});

const HARMS: Readonly<Record<string, (key: string) => Promise<void>>> = {
  'a flipped bit': (key) => harm.flipBit(key),
  'a cut file': (key) => harm.cut(key),
  'a missing file': (key) => harm.remove(key),
  'other, larger bytes': (key) => harm.replace(key, randomBytes(3_000_000)),
  'other bytes of the same length and ETag': async (key) => {
    const { bytes } = await app.storage.fileInfo(key);
    await harm.replace(key, randomBytes(bytes), { keepsEtag: true });
  },
};
/** What nothing shows but the bytes. */
const SILENT = ['a flipped bit', 'other bytes of the same length and ETag'];

describe.each(Object.entries(HARMS))('%s in the place of a rendition', (name, doHarm) => {
  test('is found by reading, and the variant is made again from its original', async () => {
    const photo = await readyPhoto(app);
    const key = photo.key('large', 'webp');
    await doHarm(key);
    const found = await scrub(app, { deep: true });
    expect(found.about(photo.id)).toEqual([
      `${name === 'a missing file' ? 'missing' : 'damaged'} large.webp`,
      'rebuild large.webp',
    ]);
    expect(found.run.result).toMatchObject({ rebuilt: 1, lost: 0, failed: 0 });
    await untilDelivered(app);
    const rows = await rowsOf(photo.id);
    expect(rows).toHaveLength(7);
    await expectWhole(app, photo.id);
    // Other bytes than before, since renditions were made of the upload: other keys, in both formats.
    const large = rows.filter((row) => row.name === 'large').map((row) => row.key);
    for (const old of [key, photo.key('large')]) {
      expect(large).not.toContain(old);
      expect(await storedKeys(app)).not.toContain(old);
    }
    const others = (all: typeof rows) => all.filter((row) => row.name !== 'large').map((row) => row.key);
    expect(others(rows).toSorted()).toEqual(others([...photo.rows]).toSorted());
    await expectNoOrphans(app);
    expect((await scrub(app, { deep: true })).about(photo.id)).toEqual([]);
  });

  test(`is ${SILENT.includes(name) ? 'not ' : ''}found by a look at what the store says of it`, async () => {
    const photo = await readyPhoto(app);
    await scrub(app, { deep: false });
    await doHarm(photo.key('medium'));
    const found = (await scrub(app, { deep: false })).about(photo.id);
    expect(found.length > 0).toBe(!SILENT.includes(name));
    await scrub(app, { deep: true });
    await expectWhole(app, photo.id);
  });
});
