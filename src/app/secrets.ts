import { hkdfSync, randomBytes } from 'node:crypto';
import { link, open, readFile, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { StorageError } from '../domain/errors.ts';

const FILE = 'secret.key';
const BYTES = 32;

export type SecretPurpose = 'store-urls' | 'development-tokens' | 'cache';

/**
 * One random secret of this installation (`DATA_DIR/secret.key`, mode 0600), made at the first start, from which each
 * purpose gets a key of its own (HKDF-SHA-256, RFC 5869). The folder exists (`prepareDataDir`).
 */
export async function loadSecrets(dataDir: string): Promise<(purpose: SecretPurpose) => Uint8Array> {
  const path = join(dataDir, FILE);
  const secret = (await read(path)) ?? (await create(path));
  return (purpose) => new Uint8Array(hkdfSync('sha256', secret, '', `localex-storage ${purpose}`, BYTES));
}

async function read(path: string): Promise<Buffer | null> {
  try {
    const secret = await readFile(path);
    if (secret.length === BYTES) return secret;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
  throw new StorageError(
    'INVALID_CONFIGURATION',
    `${path} is damaged: remove it, and signed URLs given so far end.`,
  );
}

/** Whoever links first wins: processes that start at once get the same secret. */
async function create(path: string): Promise<Buffer> {
  const temporary = `${path}.${process.pid}`;
  const file = await open(temporary, 'w', 0o600);
  await file.writeFile(randomBytes(BYTES));
  await file.sync();
  await file.close();
  await link(temporary, path).catch((error: unknown) => {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  });
  await unlink(temporary);
  return readFile(path);
}
