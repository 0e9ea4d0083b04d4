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

    describe('rotates', () => {
      test('to a new key, for vaults that were open before too, and old wraps still open', async () => {
        const other = await open();
        await other.wrap(KEY, CONTEXT);
        const old = await vault.wrap(KEY, CONTEXT);
        const made = await vault.rotate();
        expect(made.isCurrent).toBe(true);
        for (const at of [vault, other]) {
          const fresh = await at.wrap(KEY, CONTEXT);
          expect(fresh.keyId).toBe(made.id);
          expect(fresh.keyId).not.toBe(old.keyId);
          expect(Buffer.from(await at.unwrap(old, CONTEXT))).toEqual(KEY);
          expect(Buffer.from(await at.unwrap(fresh, CONTEXT))).toEqual(KEY);
        }
        await other.close();
      });

      test('and lists its keys, oldest first, one of them current', async () => {
        const made = await vault.rotate();
        const keys = await vault.wrappingKeys();
        expect(keys.at(-1)).toMatchObject({ id: made.id, isCurrent: true });
        expect(keys.filter((key) => key.isCurrent)).toHaveLength(1);
        expect(keys.map((key) => key.createdAt.getTime())).toEqual(
          keys.map((key) => key.createdAt.getTime()).toSorted((a, b) => a - b),
        );
        expect(new Set(keys.map((key) => key.id)).size).toBe(keys.length);
      });

      test('and re-wraps, bound to the same context', async () => {
        const old = await vault.wrap(KEY, CONTEXT);
        const { id } = await vault.rotate();
        const fresh = await vault.rewrap(old, CONTEXT);
        expect(fresh.keyId).toBe(id);
        expect(Buffer.from(await vault.unwrap(fresh, CONTEXT))).toEqual(KEY);
        const another = { ...CONTEXT, ownerId: 'user-2' };
        await expect(vault.rewrap(old, another)).rejects.toMatchObject(REFUSED);
        await expect(vault.unwrap(fresh, another)).rejects.toMatchObject(REFUSED);
      });

      test('and destroys: what the key wrapped opens no more, anywhere, and it is not listed', async () => {
        const other = await open();
        const old = await vault.wrap(KEY, CONTEXT);
        await vault.rotate();
        const kept = await vault.rewrap(old, CONTEXT);
        await vault.destroy(old.keyId);
        for (const at of [vault, other]) {
          await expect(at.unwrap(old, CONTEXT)).rejects.toMatchObject(REFUSED);
          await expect(at.rewrap(old, CONTEXT)).rejects.toMatchObject(REFUSED);
          expect((await at.wrappingKeys()).map((key) => key.id)).not.toContain(old.keyId);
          expect(Buffer.from(await at.unwrap(kept, CONTEXT))).toEqual(KEY);
        }
        await expect(vault.destroy(old.keyId)).resolves.toBeUndefined();
        await other.close();
      });

      test('and never destroys the current key, nor one that it does not know', async () => {
        const { keyId } = await vault.wrap(KEY, CONTEXT);
        await expect(vault.destroy(keyId)).rejects.toMatchObject({ code: 'CONFLICT' });
        await expect(vault.destroy('another')).resolves.toBeUndefined();
        expect((await vault.wrap(KEY, CONTEXT)).keyId).toBe(keyId);
      });

      test('while others wrap and unwrap: every wrap opens', async () => {
        const others = await Promise.all([open(), open()]);
        let rotating = true;
        const wrapped = others.map(async (at) => {
          const made = [];
          while (rotating) made.push(await at.wrap(KEY, CONTEXT));
          return made;
        });
        for (let round = 0; round < 5; round += 1) await vault.rotate();
        rotating = false;
        for (const one of (await Promise.all(wrapped)).flat())
          expect(Buffer.from(await vault.unwrap(one, CONTEXT))).toEqual(KEY);
        for (const at of others) await at.close();
      });
    });

    test('answers a ping', () => expect(vault.ping()).resolves.toBeUndefined());
  });
}
