import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { StorageError } from '#src/domain/errors.ts';
import type { KeyVault } from '#src/ports/key-vault.ts';
import { type KeyFile, openKeyFile } from './key-file.ts';

const ALGORITHM = 'aes-256-gcm';
/** First byte of a wrapped key, so that another layout can follow. */
const LAYOUT = 1;
const IV_BYTES = 12;
const TAG_BYTES = 16;
const HEAD_BYTES = 1 + IV_BYTES;

/**
 * A key vault in one file, made at first use. AES-256-GCM with a random 96-bit IV (safe for 2^32 wraps of one key,
 * NIST SP 800-38D §8.3); key id and context are authenticated with it. Who reads the file opens every document, and
 * without it nobody does: it belongs in the backup, apart from the database's.
 *
 * @throws StorageError INVALID_CONFIGURATION when others may read the file, or it is no key file.
 */
export async function createLocalKeyVault(options: { readonly path: string }): Promise<KeyVault> {
  let file: KeyFile | undefined = await openKeyFile(options.path);
  const opened = (): KeyFile => {
    if (file === undefined)
      throw new StorageError('INTERNAL', undefined, { details: { reason: 'the vault is closed' } });
    return file;
  };

  return {
    name: 'local',
    async wrap(plaintext, context) {
      const { id, key } = opened().current;
      const iv = randomBytes(IV_BYTES);
      const cipher = createCipheriv(ALGORITHM, key, iv).setAAD(canonical(id, context));
      const sealed = [cipher.update(plaintext), cipher.final()];
      return {
        keyId: id,
        ciphertext: Buffer.concat([Buffer.of(LAYOUT), iv, ...sealed, cipher.getAuthTag()]),
      };
    },
    async unwrap({ keyId, ciphertext }, context) {
      const key = opened().keys.get(keyId);
      if (key === undefined || ciphertext.byteLength < HEAD_BYTES + TAG_BYTES || ciphertext[0] !== LAYOUT)
        throw refused(keyId);
      const decipher = createDecipheriv(ALGORITHM, key, ciphertext.subarray(1, HEAD_BYTES), {
        authTagLength: TAG_BYTES,
      })
        .setAAD(canonical(keyId, context))
        .setAuthTag(ciphertext.subarray(-TAG_BYTES));
      try {
        return Buffer.concat([
          decipher.update(ciphertext.subarray(HEAD_BYTES, -TAG_BYTES)),
          decipher.final(),
        ]);
      } catch (error) {
        throw refused(keyId, error);
      }
    },
    async ping() {
      const { current } = opened();
      const onDisk = await openKeyFile(options.path, { create: false });
      if (!onDisk.keys.has(current.id))
        throw new StorageError(
          'INVALID_CONFIGURATION',
          `The key file ${options.path} was replaced; restore it.`,
        );
    },
    async close() {
      for (const key of file?.keys.values() ?? []) key.fill(0);
      file = undefined;
    },
  };
}

function refused(keyId: string, cause?: unknown): StorageError {
  return new StorageError('FORBIDDEN', 'The key cannot be unwrapped.', { details: { keyId }, cause });
}

/** One spelling for one context: sorted by name, quoted by JSON, so that no two contexts have the same. */
function canonical(keyId: string, context: Readonly<Record<string, string>>): Buffer {
  const entries = Object.entries(context).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return Buffer.from(JSON.stringify(['localex-storage key vault', LAYOUT, keyId, entries]));
}
