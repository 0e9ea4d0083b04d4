import { chmod, mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createLocalKeyVault } from '#src/adapters/keys/local.ts';
import { describeKeyVault } from './key-vault.contract.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'localex-vault-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describeKeyVault('a local key file', () => createLocalKeyVault({ path: path.join(folder, 'shared.key') }));

describe('the local key file', () => {
  let file: string;
  let next = 0;
  beforeEach(() => {
    next += 1;
    file = path.join(folder, `vault-${next}`, 'vault.key');
  });

  test('is made at first use, readable by its owner only, with nothing left beside it', async () => {
    await createLocalKeyVault({ path: file });
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await readdir(path.dirname(file))).toEqual(['vault.key']);
  });

  test('is one file, however many make it at once', async () => {
    const vaults = await Promise.all(Array.from({ length: 8 }, () => createLocalKeyVault({ path: file })));
    const wrapped = await Promise.all(vaults.map((vault) => vault.wrap(Buffer.from('key'), {})));
    expect(new Set(wrapped.map(({ keyId }) => keyId)).size).toBe(1);
  });

  test('opens what its older keys wrapped', async () => {
    const old = await createLocalKeyVault({ path: file });
    const wrapped = await old.wrap(Buffer.from('key'), {});
    const other = path.join(path.dirname(file), 'other.key');
    await createLocalKeyVault({ path: other });
    const [first, second] = await Promise.all(
      [file, other].map(async (name) => JSON.parse(await readFile(name, 'utf8'))),
    );
    await writeFile(file, JSON.stringify({ version: 1, keys: [...first.keys, ...second.keys] }));
    const rotated = await createLocalKeyVault({ path: file });
    expect(Buffer.from(await rotated.unwrap(wrapped, {})).toString()).toBe('key');
    expect((await rotated.wrap(Buffer.from('key'), {})).keyId).not.toBe(wrapped.keyId);
  });

  test('is refused when others may read it', async () => {
    await createLocalKeyVault({ path: file });
    await chmod(file, 0o640);
    await expect(createLocalKeyVault({ path: file })).rejects.toMatchObject({
      code: 'INVALID_CONFIGURATION',
      message: `The key file ${file} may be read by other users; run chmod 600 on it.`,
    });
  });

  test.each([
    ['empty', ''],
    ['no JSON', 'secret'],
    ['without keys', '{"version":1,"keys":[]}'],
  ])('is refused and kept when it is damaged: %s', async (_, content) => {
    await createLocalKeyVault({ path: file });
    await writeFile(file, content);
    await expect(createLocalKeyVault({ path: file })).rejects.toMatchObject({
      code: 'INVALID_CONFIGURATION',
    });
    expect(await readFile(file, 'utf8')).toBe(content);
  });

  test('keeps every key when many rotate at once', async () => {
    await createLocalKeyVault({ path: file });
    const vaults = await Promise.all(Array.from({ length: 8 }, () => createLocalKeyVault({ path: file })));
    const made = await Promise.all(vaults.map((vault) => vault.rotate()));
    const kept = await createLocalKeyVault({ path: file });
    expect((await kept.wrappingKeys()).map((key) => key.id)).toEqual(
      expect.arrayContaining(made.map((key) => key.id)),
    );
    expect(await readdir(path.dirname(file))).toEqual(['vault.key']);
  });

  test('rotates although a process died with the lock in its hands', async () => {
    const vault = await createLocalKeyVault({ path: file });
    await writeFile(`${file}.lock`, '');
    const long = new Date(Date.now() - 60_000);
    await utimes(`${file}.lock`, long, long);
    await expect(vault.rotate()).resolves.toMatchObject({ isCurrent: true });
  });

  test('holds nothing any more of a key that was destroyed', async () => {
    const vault = await createLocalKeyVault({ path: file });
    const { keys } = JSON.parse(await readFile(file, 'utf8'));
    await vault.rotate();
    await vault.destroy(keys[0].id);
    const text = await readFile(file, 'utf8');
    expect(text).not.toContain(keys[0].key);
    expect(text).not.toContain(keys[0].id);
  });

  test('is missed by a ping when it is gone or another', async () => {
    const vault = await createLocalKeyVault({ path: file });
    await rm(file);
    await expect(vault.ping()).rejects.toMatchObject({ code: 'INVALID_CONFIGURATION' });
    await createLocalKeyVault({ path: file });
    await expect(vault.ping()).rejects.toMatchObject({ code: 'INVALID_CONFIGURATION' });
  });
});
