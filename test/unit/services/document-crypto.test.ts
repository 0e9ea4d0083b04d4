import { createHash, randomBytes } from 'node:crypto';
import { Readable, Writable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import {
  AlgorithmSuiteIdentifier,
  buildClient,
  CommitmentPolicy,
  RawAesKeyringNode,
  RawAesWrappingSuiteIdentifier,
} from '@aws-crypto/client-node';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { StorageError } from '#src/domain/errors.ts';
import { decryptStream, encryptStream } from '#src/services/document-crypto.ts';

const key = randomBytes(32);
const context = { fileId: 'file-1', ownerId: 'user-1' };
const REFUSED = { name: 'StorageError', code: 'FORBIDDEN', message: 'The document cannot be opened.' };
const FRAME = 65_536;

test.each([0, 1, FRAME - 1, FRAME, FRAME + 1, 3 * FRAME])(
  'a document of %i bytes comes back as it was',
  async (length) => {
    const document = randomBytes(length);
    const sealed = await encrypt(document);
    expect(await open(sealed)).toEqual(document);
    expect(sealed.byteLength - document.byteLength).toBeLessThan(400 + document.byteLength / 1000);
  },
);

test('a long document streams through: little of it is held at a time', async () => {
  const chunk = randomBytes(FRAME);
  const chunks = 640;
  const ahead = { written: 0, read: 0, most: 0 };
  const source = Readable.from(
    (function* make() {
      for (let i = 0; i < chunks; i += 1) {
        ahead.written += chunk.byteLength;
        ahead.most = Math.max(ahead.most, ahead.written - ahead.read);
        yield chunk;
      }
    })(),
  );
  const seen = createHash('sha256');
  const sink = new Writable({
    write(part: Buffer, _encoding, done) {
      ahead.read += part.byteLength;
      seen.update(part);
      setImmediate(done);
    },
  });
  await pipeline(source, encryptStream(key, context), decryptStream(key, context), sink);
  const expected = createHash('sha256');
  for (let i = 0; i < chunks; i += 1) expected.update(chunk);
  expect(seen.digest('hex')).toBe(expected.digest('hex'));
  expect(ahead.read).toBe(chunks * FRAME);
  expect(ahead.most).toBeLessThan(8 * 1024 * 1024);
});

test('the object holds neither the document nor the wrapping key, and no two are alike', async () => {
  const document = Buffer.alloc(1_000, 'identity ');
  const [one, two] = [await encrypt(document), await encrypt(document)];
  expect(one.includes('identity')).toBe(false);
  expect(one.includes(key.subarray(0, 8))).toBe(false);
  expect(one).not.toEqual(two);
});

describe('a document is refused, with nothing released,', () => {
  let sealed: Buffer;
  beforeAll(async () => {
    sealed = await encrypt(randomBytes(100));
  });

  test.each([
    ['with another key', randomBytes(32), context],
    ['for another owner', key, { ...context, ownerId: 'user-2' }],
    ['for another file', key, { ...context, fileId: 'file-2' }],
  ])('%s', async (_, otherKey, otherContext) => {
    const released: Buffer[] = [];
    await expect(decryptInto(released, sealed, otherKey, otherContext)).rejects.toMatchObject(REFUSED);
    expect(released).toEqual([]);
  });

  test('with any byte changed or missing at the end', async () => {
    for (let i = 0; i < sealed.byteLength; i += 1) {
      const released: Buffer[] = [];
      const changed = Buffer.from(sealed).fill((sealed[i] ?? 0) ^ 1, i, i + 1);
      await expect(decryptInto(released, changed)).rejects.toMatchObject(REFUSED);
      await expect(decryptInto(released, sealed.subarray(0, i))).rejects.toMatchObject(REFUSED);
      expect(released).toEqual([]);
    }
  });

  test('when it was sealed without key commitment', async () => {
    const client = buildClient(CommitmentPolicy.FORBID_ENCRYPT_ALLOW_DECRYPT);
    const keyring = new RawAesKeyringNode({
      keyNamespace: 'localex-storage',
      keyName: 'document',
      unencryptedMasterKey: Uint8Array.from(key),
      wrappingSuite: RawAesWrappingSuiteIdentifier.AES256_GCM_IV12_TAG16_NO_PADDING,
    });
    const suiteId = AlgorithmSuiteIdentifier.ALG_AES256_GCM_IV12_TAG16_HKDF_SHA256;
    const { result } = await client.encrypt(keyring, 'text', { suiteId, encryptionContext: context });
    await expect(open(result)).rejects.toMatchObject(REFUSED);
  });
});

test('a long document that was spoilt releases whole frames before the spoilt place only, and fails', async () => {
  const document = randomBytes(4 * FRAME);
  const sealed = await encrypt(document);
  for (const spoilt of [
    Buffer.from(sealed).fill(0, 3 * FRAME, 3 * FRAME + 16),
    sealed.subarray(0, 3 * FRAME),
  ]) {
    const released: Buffer[] = [];
    await expect(decryptInto(released, spoilt)).rejects.toMatchObject(REFUSED);
    const text = Buffer.concat(released);
    expect(text.byteLength % FRAME).toBe(0);
    expect(text.byteLength).toBeLessThan(3 * FRAME);
    expect(text).toEqual(document.subarray(0, text.byteLength));
  }
});

test('frames in another order are refused', async () => {
  const sealed = await encrypt(Buffer.alloc(3 * FRAME, 1));
  // Sequence number, IV and tag stand around each frame's bytes.
  const frame = 4 + 12 + FRAME + 16;
  const body = sealed.indexOf(Buffer.from([0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]));
  expect(body).toBeGreaterThan(0);
  const [first, second] = [
    sealed.subarray(body, body + frame),
    sealed.subarray(body + frame, body + 2 * frame),
  ];
  const swapped = Buffer.concat([sealed.subarray(0, body), second, first, sealed.subarray(body + 2 * frame)]);
  expect(swapped.byteLength).toBe(sealed.byteLength);
  await expect(open(swapped)).rejects.toMatchObject(REFUSED);
});

test('an error of the source passes as it is', async () => {
  const sealed = await encrypt(randomBytes(2 * FRAME));
  const failure = new StorageError('STORAGE_UNAVAILABLE');
  const source = (body: Buffer) =>
    Readable.from(
      (function* failing() {
        yield body.subarray(0, FRAME);
        throw failure;
      })(),
    );
  await expect(pipeline(source(sealed), decryptStream(key, context), drain)).rejects.toBe(failure);
  await expect(pipeline(source(sealed), encryptStream(key, context), drain)).rejects.toBe(failure);
});

test.each([
  ['encrypts', encryptStream],
  ['decrypts', decryptStream],
])('a reader that goes away ends the stream that %s, and its source', async (_, make) => {
  const sealed = await encrypt(randomBytes(200 * FRAME));
  let ended = false;
  const source = (async function* endless() {
    try {
      for (let i = 0; ; i += FRAME)
        yield sealed.subarray(i % sealed.byteLength, (i % sealed.byteLength) + FRAME);
    } finally {
      ended = true;
    }
  })();
  const stream = make(key, context);
  const fed = pipeline(source, stream);
  fed.catch(() => {});
  for await (const part of stream) if (part instanceof Uint8Array) break;
  await expect(fed).rejects.toBeInstanceOf(Error);
  expect(stream.destroyed).toBe(true);
  await vi.waitFor(() => expect(ended).toBe(true));
});

test('a key of another length is refused at once', () => {
  expect(() => encryptStream(randomBytes(16), context)).toThrow(
    expect.objectContaining({ code: 'INTERNAL' }),
  );
});

function encrypt(document: Buffer): Promise<Buffer> {
  return buffer(Readable.from(document.byteLength === 0 ? [] : [document]).pipe(encryptStream(key, context)));
}

async function open(sealed: Buffer): Promise<Buffer> {
  const released: Buffer[] = [];
  await decryptInto(released, sealed);
  return Buffer.concat(released);
}

async function decryptInto(
  released: Buffer[],
  sealed: Buffer,
  withKey = key,
  withContext = context,
): Promise<void> {
  const sink = new Writable({
    write(part: Buffer, _encoding, done) {
      released.push(part);
      done();
    },
  });
  await pipeline(
    Readable.from(sealed.byteLength === 0 ? [] : [sealed]),
    decryptStream(withKey, withContext),
    sink,
  );
}

async function drain(source: AsyncIterable<unknown>): Promise<void> {
  for await (const part of source) void part;
}
