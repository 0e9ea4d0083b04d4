import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { StorageError } from '#src/domain/errors.ts';
import type { KeyVault, WrappedKey, WrappingKey } from '#src/ports/key-vault.ts';
import { addKey, type KeyFile, type KeyInFile, keyFileMark, openKeyFile, removeKey } from './key-file.ts';

const ALGORITHM = 'aes-256-gcm';
/** First byte of a wrapped key, so that another layout can follow. */
const LAYOUT = 1;
const IV_BYTES = 12;
const TAG_BYTES = 16;
const HEAD_BYTES = 1 + IV_BYTES;

type Context = Readonly<Record<string, string>>;

/**
 * A key vault in one file, made at first use. AES-256-GCM with a random 96-bit IV (safe for 2^32 wraps of one key,
 * NIST SP 800-38D §8.3); key id and context are authenticated with it. Who reads the file opens every document, and
 * without it nobody does: its newest version, and no older one, belongs in a backup apart from the database's.
 *
 * Rotation adds a key to the file, destruction takes one out; other processes see it at their next call.
 *
 * @throws StorageError INVALID_CONFIGURATION when others may read the file, or it is no key file.
 */
export async function createLocalKeyVault(options: { readonly path: string }): Promise<KeyVault> {
  const keys = await followKeyFile(options.path);

  async function wrap(plaintext: Uint8Array, context: Context): Promise<WrappedKey> {
    return seal((await keys.fresh()).current, plaintext, context);
  }
  async function unwrap(wrapped: WrappedKey, context: Context): Promise<Uint8Array> {
    const { all } = await keys.fresh();
    const key = all.find(({ id }) => id === wrapped.keyId);
    if (key === undefined) throw refused(wrapped.keyId);
    return unseal(key, wrapped.ciphertext, context);
  }

  return {
    name: 'local',
    capabilities: { supportsRotation: true, destroyDelayDays: 0 },
    wrap,
    unwrap,
    async rewrap(wrapped, context) {
      const plaintext = await unwrap(wrapped, context);
      try {
        return await wrap(plaintext, context);
      } finally {
        plaintext.fill(0);
      }
    },
    async wrappingKeys() {
      const { all, current } = await keys.fresh();
      return all.map((key) => describe(key, current));
    },
    async rotate() {
      const { current } = await keys.changed(() => addKey(options.path));
      return describe(current, current);
    },
    async destroy(keyId) {
      await keys.changed(() => removeKey(options.path, keyId));
    },
    async ping() {
      await keys.fresh();
    },
    async close() {
      keys.forget();
    },
  };
}

interface Keys {
  readonly all: KeyFile;
  readonly current: KeyInFile;
}

/** The keys of a file as it is now: read again when it has changed. */
async function followKeyFile(file: string) {
  let known: KeyFile | null = await openKeyFile(file);
  let mark = '';

  const opened = (): KeyFile => {
    if (known === null)
      throw new StorageError('INTERNAL', undefined, { details: { reason: 'the vault is closed' } });
    return known;
  };
  const take = (read: KeyFile): Keys => {
    const before = opened();
    if (!before.some(({ id }) => read.some((key) => key.id === id)))
      throw new StorageError('INVALID_CONFIGURATION', `The key file ${file} was replaced; restore it.`);
    // Not wiped: a call that has just been given the keys of before still works with them.
    known = read;
    return keysOf(read);
  };

  return {
    async fresh(): Promise<Keys> {
      opened();
      const now = await keyFileMark(file);
      if (now !== mark) {
        const keys = take(await openKeyFile(file, { create: false }));
        mark = now;
        return keys;
      }
      return keysOf(opened());
    },
    async changed(change: () => Promise<KeyFile>): Promise<Keys> {
      opened();
      return take(await change());
    },
    forget(): void {
      known = null;
    },
  };
}

function keysOf(all: KeyFile): Keys {
  return { all, current: all.at(-1) ?? all[0] };
}

function describe({ id, createdAt }: KeyInFile, current: KeyInFile): WrappingKey {
  return { id, createdAt, isCurrent: id === current.id };
}

function seal({ id, key }: KeyInFile, plaintext: Uint8Array, context: Context): WrappedKey {
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv(ALGORITHM, key, iv).setAAD(canonical(id, context));
  const sealed = [cipher.update(plaintext), cipher.final()];
  return { keyId: id, ciphertext: Buffer.concat([Buffer.of(LAYOUT), iv, ...sealed, cipher.getAuthTag()]) };
}

function unseal({ id, key }: KeyInFile, ciphertext: Uint8Array, context: Context): Uint8Array {
  if (ciphertext.byteLength < HEAD_BYTES + TAG_BYTES || ciphertext[0] !== LAYOUT) throw refused(id);
  const decipher = createDecipheriv(ALGORITHM, key, ciphertext.subarray(1, HEAD_BYTES), {
    authTagLength: TAG_BYTES,
  })
    .setAAD(canonical(id, context))
    .setAuthTag(ciphertext.subarray(-TAG_BYTES));
  try {
    return Buffer.concat([decipher.update(ciphertext.subarray(HEAD_BYTES, -TAG_BYTES)), decipher.final()]);
  } catch (error) {
    throw refused(id, error);
  }
}

function refused(keyId: string, cause?: unknown): StorageError {
  return new StorageError('FORBIDDEN', 'The key cannot be unwrapped.', { details: { keyId }, cause });
}

/** One spelling for one context: sorted by name, quoted by JSON, so that no two contexts have the same. */
function canonical(keyId: string, context: Context): Buffer {
  const entries = Object.entries(context).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return Buffer.from(JSON.stringify(['localex-storage key vault', LAYOUT, keyId, entries]));
}
