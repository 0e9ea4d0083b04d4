import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { KeyVault } from '#src/ports/key-vault.ts';

const KEY = Buffer.from('0123456789abcdef0123456789abcdef');
const CONTEXT = { purpose: 'document', fileId: 'file-1', ownerId: 'user-1' };
const REFUSED = { name: 'StorageError', code: 'FORBIDDEN' };

/** What any key vault must do; see `src/ports/key-vault.ts`. `open` may be called again and finds the same keys. */
export function describeKeyVault(product: string, open: () => Promise<KeyVault>): void {
  describe(`a key vault: ${product}`, () => {
    let vault: KeyVault;
    beforeAll(async () => {
      vault = await open();
    });
    afterAll(() => vault.close());

    test('unwraps what it wrapped, whatever the order of the context', async () => {
      const wrapped = await vault.wrap(KEY, CONTEXT);
      const reordered = { ownerId: 'user-1', fileId: 'file-1', purpose: 'document' };
      expect(Buffer.from(await vault.unwrap(wrapped, reordered))).toEqual(KEY);
    });

    test('unwraps after it was closed and opened again', async () => {
      const first = await open();
      const wrapped = await first.wrap(KEY, CONTEXT);
      await first.close();
      await expect(first.wrap(KEY, CONTEXT)).rejects.toMatchObject({ name: 'StorageError' });
      const second = await open();
      expect(Buffer.from(await second.unwrap(wrapped, CONTEXT))).toEqual(KEY);
      await second.close();
    });

    test('hides the key and never wraps twice alike', async () => {
      const [one, two] = [await vault.wrap(KEY, CONTEXT), await vault.wrap(KEY, CONTEXT)];
      expect(Buffer.from(one.ciphertext).includes(KEY.subarray(0, 8))).toBe(false);
      expect(Buffer.from(one.ciphertext)).not.toEqual(Buffer.from(two.ciphertext));
    });

    test.each([
      ['another value', { ...CONTEXT, ownerId: 'user-2' }],
      ['values changed round', { ...CONTEXT, fileId: 'user-1', ownerId: 'file-1' }],
      ['a part missing', { purpose: 'document', fileId: 'file-1' }],
      ['a part more', { ...CONTEXT, more: '' }],
      ['nothing', {}],
    ])('refuses %s as context', async (_, context) => {
      const wrapped = await vault.wrap(KEY, CONTEXT);
      await expect(vault.unwrap(wrapped, context)).rejects.toMatchObject(REFUSED);
    });

    test('takes no two contexts for one, however they are written', async () => {
      const contexts = fc.dictionary(fc.string({ maxLength: 6 }), fc.string({ maxLength: 6 }), {
        maxKeys: 3,
      });
      await fc.assert(
        fc.asyncProperty(contexts, contexts, async (wrappedWith, unwrappedWith) => {
          const wrapped = await vault.wrap(KEY, wrappedWith);
          const outcome = await vault.unwrap(wrapped, unwrappedWith).then(
            () => 'opened',
            ({ code }: { code: string }) => code,
          );
          expect(outcome).toBe(
            isDeepStrictEqual({ ...wrappedWith }, { ...unwrappedWith }) ? 'opened' : 'FORBIDDEN',
          );
        }),
        { numRuns: 50 },
      );
    });

    test('refuses a ciphertext with any byte changed, cut or added, and another key id', async () => {
      const wrapped = await vault.wrap(KEY, CONTEXT);
      const bytes = Buffer.from(wrapped.ciphertext);
      const changed = [...bytes.keys()].map((i) => Buffer.from(bytes).fill((bytes[i] ?? 0) ^ 1, i, i + 1));
      const spoilt = [
        ...changed,
        bytes.subarray(1),
        bytes.subarray(0, -1),
        Buffer.concat([bytes, Buffer.of(0)]),
      ];
      for (const ciphertext of [...spoilt, Buffer.alloc(0)])
        await expect(vault.unwrap({ ...wrapped, ciphertext }, CONTEXT)).rejects.toMatchObject(REFUSED);
      await expect(vault.unwrap({ ...wrapped, keyId: 'another' }, CONTEXT)).rejects.toMatchObject(REFUSED);
    });

    test('answers a ping', () => expect(vault.ping()).resolves.toBeUndefined());
  });
}
