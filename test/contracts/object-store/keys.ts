import { describe, expect, test } from 'vitest';
import { createStorageService } from '#src/services/storage.service.ts';
import { folder, keys, outcome, PLAIN, read, type StoreUnderTest } from './support.ts';

const HOSTILE = [
  '',
  '/',
  '/a',
  'a/',
  'a//b',
  '.',
  '..',
  'a/../b',
  '../../etc/passwd',
  'a\\b',
  'a\0b',
  'a%2e',
  'ä',
  'a b',
  '#tmp/a',
  'a~',
  'x'.repeat(1025),
];

/** Every allowed key is carried, every other one refused. */
export function keysOfAnyShape(under: () => StoreUnderTest): void {
  describe('keys', () => {
    test('a key may be the beginning of another one', async () => {
      const { store } = under();
      const at = folder();
      await store.put(at('a'), Buffer.from('file'), PLAIN);
      await store.put(at('a/b'), Buffer.from('below'), PLAIN);
      expect((await read(store, at('a'))).toString()).toBe('file');
      await store.delete(at('a/b'));
      expect((await read(store, at('a'))).toString()).toBe('file');
    });

    test('keys that differ in case alone are two', async () => {
      const { store } = under();
      const at = folder();
      await store.put(at('Case/x'), Buffer.from('upper'), PLAIN);
      await store.put(at('case/x'), Buffer.from('lower'), PLAIN);
      expect((await read(store, at('Case/x'))).toString()).toBe('upper');
      expect(await keys(store, `${at('case')}/`)).toEqual([at('case/x')]);
    });

    test('every character, device names and 1,024 bytes are carried', async () => {
      const { store } = under();
      const at = folder();
      const names = [
        "!_.*'()@:|=+,-",
        'CON',
        'nul.txt',
        'com1',
        'ends.',
        '...',
        '.hidden',
        'a:b|c@d',
        `${'N'.repeat(300)}/${'x'.repeat(300)}`,
      ];
      const longest = at('*'.repeat(1024 - at('x').length + 1));
      const all = [...names.map(at), longest];
      for (const key of all) await store.put(key, Buffer.from(key), PLAIN);
      for (const key of all) expect((await read(store, key)).toString()).toBe(key);
      expect(await keys(store, at('x').slice(0, -1))).toEqual(all.toSorted());
      for (const key of all) await store.delete(key);
      expect(await keys(store, at('x').slice(0, -1))).toEqual([]);
    });

    test.each(HOSTILE.map((key) => [key.slice(0, 20), key] as const))(
      'the key %j is refused before the driver is asked',
      async (_, key) => {
        const { store } = under();
        const asked: string[] = [];
        const watched = new Proxy(store, {
          get(target, name, receiver) {
            asked.push(String(name));
            return Reflect.get(target, name, receiver);
          },
        });
        const service = createStorageService({ store: watched });
        const good = 'contract/good';
        const calls = [
          service.uploadFile(Buffer.from('x'), { key, contentType: 'text/plain' }),
          service.downloadFile(key),
          service.fileInfo(key),
          service.deleteFile(key),
          service.getSignedUrl(key, 60),
          service.getUploadForm(key, { contentType: 'text/plain', maxBytes: 1, expiresInSeconds: 60 }),
          service.copyFile(key, good),
          service.copyFile(good, key),
          service.moveFile(key, good),
          service.moveFile(good, key),
          service.restoreFile(key, 1),
        ];
        expect(new Set(await Promise.all(calls.map(outcome)))).toEqual(new Set(['INVALID_KEY']));
        expect(asked).toEqual([]);
      },
    );
  });
}
