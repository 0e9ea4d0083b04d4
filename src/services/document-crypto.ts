import { once } from 'node:events';
import { Duplex, PassThrough } from 'node:stream';
import { isStorageError, StorageError } from '../domain/errors.ts';

/** Bound into the encrypted object: it opens only for the same file of the same owner. */
export interface DocumentContext {
  readonly fileId: string;
  readonly ownerId: string;
}

/** Length of a document's wrapping key. Bytes. */
export const WRAPPING_KEY_BYTES = 32;
/** Plaintext is authenticated and released in frames of this size. Bytes. */
const FRAME_BYTES = 65_536;

/**
 * Encrypts what is written to it: AWS Encryption SDK message format 2, AES-256-GCM with a data key of its own, HKDF-SHA512
 * and key commitment, no signature (one party writes and reads). The data key travels in the header, wrapped with
 * `wrappingKey`; without that key the object is noise. Holds a few frames in memory, whatever the length; adds less
 * than 0.1 % and 400 bytes.
 *
 * The library is loaded at first use (190 ms, 39 MB).
 */
export function encryptStream(wrappingKey: Uint8Array, context: DocumentContext): Duplex {
  const key = copyOf(wrappingKey);
  return Duplex.from(async function* encrypt(source: AsyncIterable<Uint8Array>) {
    const { client, keyring, suiteId } = await openCrypto(key);
    const encryptionContext = { fileId: context.fileId, ownerId: context.ownerId };
    const cipher = client.encryptStream(keyring, { suiteId, frameLength: FRAME_BYTES, encryptionContext });
    yield* through(source, cipher);
  });
}

/**
 * Decrypts what is written to it. Each frame is released only after its tag was verified, and the first one only after
 * the context was; but a document that was cut short is found out at its end. So: **use nothing of it until the
 * stream has ended without an error.** Bytes after the last frame are not looked at.
 *
 * Fails with FORBIDDEN when key, context and bytes do not belong together: another key, another file or owner, a changed
 * bit, frames missing or reordered, an algorithm without key commitment. An error of the source passes unchanged.
 */
export function decryptStream(wrappingKey: Uint8Array, context: DocumentContext): Duplex {
  const key = copyOf(wrappingKey);
  return Duplex.from(async function* decrypt(source: AsyncIterable<Uint8Array>) {
    const { client, keyring } = await openCrypto(key);
    const decipher = client.decryptUnsignedMessageStream(keyring, { maxBodySize: FRAME_BYTES });
    // Emitted once the header is authenticated, before any plaintext; what is thrown here fails the stream.
    decipher.once('MessageHeader', (header: { encryptionContext: Readonly<Record<string, string>> }) => {
      if (!isSameContext(header.encryptionContext, context)) throw new Error('another encryption context');
    });
    let sourceFailed = false;
    const watched = (async function* watch() {
      try {
        yield* source;
      } catch (error) {
        sourceFailed = true;
        throw error;
      }
    })();
    try {
      yield* through(watched, decipher);
    } catch (error) {
      if (sourceFailed || isStorageError(error)) throw error;
      throw new StorageError('FORBIDDEN', 'The document cannot be opened.', {
        details: { fileId: context.fileId },
        cause: error,
      });
    }
  });
}

/** Isolated memory, as the library wants it: never a view into a shared buffer. */
function copyOf(wrappingKey: Uint8Array): Uint8Array {
  if (wrappingKey.byteLength !== WRAPPING_KEY_BYTES)
    throw new StorageError('INTERNAL', undefined, {
      details: { reason: 'the wrapping key has another length' },
    });
  return Uint8Array.from(wrappingKey);
}

async function openCrypto(unencryptedMasterKey: Uint8Array) {
  const {
    AlgorithmSuiteIdentifier,
    buildClient,
    CommitmentPolicy,
    RawAesKeyringNode,
    RawAesWrappingSuiteIdentifier,
  } = await import('@aws-crypto/client-node');
  return {
    client: buildClient({
      commitmentPolicy: CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT,
      maxEncryptedDataKeys: 1,
    }),
    suiteId: AlgorithmSuiteIdentifier.ALG_AES256_GCM_IV12_TAG16_HKDF_SHA512_COMMIT_KEY,
    keyring: new RawAesKeyringNode({
      keyNamespace: 'localex-storage',
      keyName: 'document',
      unencryptedMasterKey,
      wrappingSuite: RawAesWrappingSuiteIdentifier.AES256_GCM_IV12_TAG16_NO_PADDING,
    }),
  };
}

/**
 * Yields what comes out of `transform` as `source` goes in. Fails with the first failure of either.
 *
 * The library's streams are never destroyed, only abandoned: destroying its encrypting stream throws where nobody can
 * catch it (a pipeline without a callback in encrypt_stream.js of 5.0.2), which would end the process whenever a
 * client goes away.
 */
async function* through(source: AsyncIterable<Uint8Array>, transform: Duplex): AsyncGenerator<Uint8Array> {
  const output = new PassThrough();
  const abandoned = new AbortController();
  const fail = (error: Error) => output.destroy(error);
  transform.on('error', fail);
  transform.pipe(output);
  feed(source, transform, abandoned.signal).catch(fail);
  try {
    yield* output;
  } finally {
    abandoned.abort();
    transform.unpipe(output);
    transform.resume();
    transform.end();
  }
}

async function feed(
  source: AsyncIterable<Uint8Array>,
  transform: Duplex,
  signal: AbortSignal,
): Promise<void> {
  for await (const chunk of source) {
    if (signal.aborted) return;
    if (!transform.write(chunk)) await once(transform, 'drain', { signal });
  }
  transform.end();
}

function isSameContext(found: Readonly<Record<string, string>>, wanted: DocumentContext): boolean {
  return (
    Object.keys(found).length === 2 &&
    found['fileId'] === wanted.fileId &&
    found['ownerId'] === wanted.ownerId
  );
}
