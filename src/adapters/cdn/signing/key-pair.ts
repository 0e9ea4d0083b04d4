import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPair,
  type KeyObject,
  randomUUID,
} from 'node:crypto';
import { link, open, readFile, unlink } from 'node:fs/promises';
import { promisify } from 'node:util';
import { StorageError } from '#src/domain/errors.ts';

/** What signs URLs and cookies, and what they are checked by. */
export interface SigningKeyPair {
  /** As CloudFront names the public key, or the edge its own. */
  readonly id: string;
  /** In PEM. */
  readonly privateKey: string;
  readonly publicKey: KeyObject;
}

/**
 * The key pair of a file that somebody gave us. CloudFront takes RSA of 2,048 bits and ECDSA on P-256 (PublicKey, Amazon
 * CloudFront API Reference, 2026). RSA is the better choice: it signs equal URLs equally in every process.
 *
 * @throws StorageError INVALID_CONFIGURATION, naming `setting`, when the file is missing or holds another key
 */
export async function readKeyPair(path: string, id: string, setting: string): Promise<SigningKeyPair> {
  const pem = await readFile(path, 'utf8').catch((error: unknown) => {
    throw unusable(setting, path, 'cannot be read', error);
  });
  return { id, privateKey: pem, publicKey: publicKeyOf(pem, setting, path) };
}

/**
 * The key pair of the edge, kept in a file that only we may read, made at the first start. Whoever links first wins:
 * processes that start at once get the same.
 */
export async function openKeyPair(path: string): Promise<SigningKeyPair> {
  const pem = (await readIfThere(path)) ?? (await create(path));
  const publicKey = publicKeyOf(pem, 'The key of signed URLs', path);
  return { id: idOf(publicKey), privateKey: pem, publicKey };
}

function publicKeyOf(pem: string, setting: string, path: string): KeyObject {
  let key: KeyObject;
  try {
    key = createPrivateKey(pem);
  } catch {
    // No cause: the parser's message may quote the file.
    throw unusable(setting, path, 'holds no private key in PEM');
  }
  const { modulusLength, namedCurve } = key.asymmetricKeyDetails ?? {};
  const isRsa = key.asymmetricKeyType === 'rsa' && modulusLength === 2048;
  const isEcdsa = key.asymmetricKeyType === 'ec' && namedCurve === 'prime256v1';
  if (!isRsa && !isEcdsa)
    throw unusable(setting, path, 'holds neither an RSA key of 2,048 bits nor an ECDSA key on P-256');
  return createPublicKey(key);
}

async function readIfThere(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return null;
    throw error;
  }
}

async function create(path: string): Promise<string> {
  const { privateKey } = await promisify(generateKeyPair)('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  const draft = `${path}.${randomUUID()}`;
  {
    await using file = await open(draft, 'wx', 0o600);
    await file.writeFile(privateKey);
    await file.sync();
  }
  await link(draft, path).catch((error: unknown) => {
    if (!isSystemError(error, 'EEXIST')) throw error;
  });
  await unlink(draft);
  return readFile(path, 'utf8');
}

/** In the form of CloudFront's ids, and the same for the same key. */
function idOf(publicKey: KeyObject): string {
  const digest = createHash('sha256').update(publicKey.export({ type: 'spki', format: 'der' }));
  return `K${digest.digest('hex').slice(0, 13).toUpperCase()}`;
}

function unusable(setting: string, path: string, reason: string, cause?: unknown): StorageError {
  return new StorageError('INVALID_CONFIGURATION', `${setting}: ${path} ${reason}.`, { cause });
}

function isSystemError(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
