import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import {
  CreateAliasCommand,
  CreateKeyCommand,
  DescribeKeyCommand,
  DisableKeyCommand,
  EnableKeyCommand,
  GetKeyPolicyCommand,
  KMSClient,
} from '@aws-sdk/client-kms';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createKmsKeyVault } from '#src/adapters/keys/kms.ts';
import { describeKeyVault } from './key-vault.contract.ts';

const endpoint = process.env['TEST_AWS_ENDPOINT'] ?? '';
const region = 'eu-central-1';
const KEY = Buffer.alloc(32, 7);
const CONTEXT = { purpose: 'document', fileId: 'file-1', ownerId: 'user-1' };

// The SDK's default chain finds these; LocalStack takes any.
beforeAll(() => {
  process.env['AWS_ACCESS_KEY_ID'] ??= 'test';
  process.env['AWS_SECRET_ACCESS_KEY'] ??= 'test';
});

describe.skipIf(endpoint === '')('AWS KMS as LocalStack has it (needs TEST_AWS_ENDPOINT)', () => {
  let kms: KMSClient;
  const alias = `alias/localex-test-${randomUUID()}`;
  let firstKey: string;

  beforeAll(async () => {
    kms = new KMSClient({ region, endpoint, credentials: { accessKeyId: 'test', secretAccessKey: 'test' } });
    firstKey = await newKey(alias);
  });
  afterAll(() => kms.destroy());

  async function newKey(name: string): Promise<string> {
    const { KeyMetadata } = await kms.send(new CreateKeyCommand({}));
    const id = KeyMetadata?.KeyId ?? '';
    await kms.send(new CreateAliasCommand({ AliasName: name, TargetKeyId: id }));
    return id;
  }
  const vaultOf = (keyId: string) => createKmsKeyVault({ keyId, region, endpoint });

  describeKeyVault('AWS KMS', async () => vaultOf(alias));

  describe('a key in KMS', () => {
    test('is found again by the alias of its version, although another made it', async () => {
      const vault = vaultOf(alias);
      await vault.rotate();
      const ids = (await vault.wrappingKeys()).map((key) => key.id);
      expect(ids.filter((id) => id.endsWith(firstKey))).toHaveLength(1);
      await vault.close();
    });

    test('passes its policy on to the next one', async () => {
      const name = `alias/localex-test-${randomUUID()}`;
      const before = await newKey(name);
      const vault = vaultOf(name);
      const { id } = await vault.rotate();
      const policyOf = async (KeyId: string) =>
        (await kms.send(new GetKeyPolicyCommand({ KeyId, PolicyName: 'default' }))).Policy;
      expect(await policyOf(id)).toBe(await policyOf(before));
      await vault.close();
    });

    test('that is destroyed waits seven days for its end', async () => {
      const name = `alias/localex-test-${randomUUID()}`;
      const before = await newKey(name);
      const vault = vaultOf(name);
      await vault.rotate();
      const [old] = await vault.wrappingKeys();
      await vault.destroy(old?.id ?? '');
      const { KeyMetadata } = await kms.send(new DescribeKeyCommand({ KeyId: before }));
      expect(KeyMetadata?.KeyState).toBe('PendingDeletion');
      const days = ((KeyMetadata?.DeletionDate?.getTime() ?? 0) - Date.now()) / 86_400_000;
      expect(days).toBeGreaterThan(6);
      expect(days).toBeLessThan(8);
      await vault.close();
    });

    test('of somebody else in the account is never destroyed', async () => {
      const { KeyMetadata } = await kms.send(new CreateKeyCommand({}));
      const vault = vaultOf(alias);
      await vault.destroy(KeyMetadata?.Arn ?? '');
      const { KeyMetadata: after } = await kms.send(new DescribeKeyCommand({ KeyId: KeyMetadata?.KeyId }));
      expect(after?.KeyState).toBe('Enabled');
      await vault.close();
    });

    test('that is disabled is out of reach until it is enabled again, and the vault says so', async () => {
      const name = `alias/localex-test-${randomUUID()}`;
      const KeyId = await newKey(name);
      const vault = vaultOf(name);
      const wrapped = await vault.wrap(KEY, CONTEXT);
      await kms.send(new DisableKeyCommand({ KeyId }));
      const unavailable = { code: 'KEYS_UNAVAILABLE', retryable: true };
      await expect(vault.wrap(KEY, CONTEXT)).rejects.toMatchObject(unavailable);
      await expect(vault.unwrap(wrapped, CONTEXT)).rejects.toMatchObject(unavailable);
      await expect(vault.ping()).rejects.toMatchObject(unavailable);
      await kms.send(new EnableKeyCommand({ KeyId }));
      await vault.ping();
      expect(Buffer.from(await vault.unwrap(wrapped, CONTEXT))).toEqual(KEY);
      await vault.close();
    });

    test('named by its id does not rotate', async () => {
      const vault = vaultOf(firstKey);
      expect(vault.capabilities.supportsRotation).toBe(false);
      expect(await vault.wrappingKeys()).toHaveLength(1);
      await expect(vault.rotate()).rejects.toMatchObject({ code: 'UNSUPPORTED' });
      await vault.close();
    });

    test('that does not exist is named when the vault is asked', async () => {
      const vault = vaultOf('alias/there-is-none');
      await expect(vault.ping()).rejects.toMatchObject({
        code: 'INVALID_CONFIGURATION',
        message: 'KMS refuses the key alias/there-is-none: NotFoundException.',
      });
      await vault.close();
    });
  });
});

/** Errors as KMS sends them (API reference 2025, "Common errors" and those of Encrypt and Decrypt). */
describe('KMS that refuses', () => {
  let server: Server;
  let answers: { status: number; type: string }[];
  let bodies: string[];
  let url: string;

  beforeEach(async () => {
    answers = [];
    bodies = [];
    server = createServer((request, response) => void answer(request, response));
    const answer = async (request: IncomingMessage, response: ServerResponse) => {
      bodies.push(await text(request));
      const next = answers.shift();
      response.writeHead(next?.status ?? 200, { 'content-type': 'application/x-amz-json-1.1' });
      const done = { KeyId: 'arn:aws:kms:key', CiphertextBlob: 'AAAA', Plaintext: KEY.toString('base64') };
      response.end(JSON.stringify(next === undefined ? done : { __type: next.type, message: 'no' }));
    };
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
  });
  afterEach(() => {
    server.closeAllConnections();
    server.close();
  });

  const vault = () => createKmsKeyVault({ keyId: 'alias/x', region, endpoint: url });
  const wrapped = { keyId: 'arn:aws:kms:key', ciphertext: Buffer.from('wrapped') };

  test('a throttled call is made again', async () => {
    answers = Array.from({ length: 3 }, () => ({ status: 400, type: 'ThrottlingException' }));
    expect(Buffer.from(await vault().unwrap(wrapped, CONTEXT))).toEqual(KEY);
    expect(bodies).toHaveLength(4);
  });

  test.each([
    ['ThrottlingException', 400, 'KEYS_UNAVAILABLE'],
    ['AccessDeniedException', 400, 'KEYS_UNAVAILABLE'],
    ['DisabledException', 400, 'KEYS_UNAVAILABLE'],
    ['KMSInternalException', 500, 'KEYS_UNAVAILABLE'],
    ['InvalidCiphertextException', 400, 'FORBIDDEN'],
    ['IncorrectKeyException', 400, 'FORBIDDEN'],
    ['KMSInvalidStateException', 400, 'FORBIDDEN'],
  ])('%s with status %i is %s to who opens a document', async (type, status, code) => {
    answers = Array.from({ length: 9 }, () => ({ status, type }));
    await expect(vault().unwrap(wrapped, CONTEXT)).rejects.toMatchObject({ code, details: { reason: type } });
    // The SDK's own retries, and none above them.
    expect(bodies.length).toBeLessThanOrEqual(5);
  });

  test('no answer is KEYS_UNAVAILABLE', async () => {
    const closed = vault();
    server.closeAllConnections();
    server.close();
    await expect(closed.wrap(KEY, CONTEXT)).rejects.toMatchObject({ code: 'KEYS_UNAVAILABLE' });
  });

  test('only the wrapped key goes out to be unwrapped, and the key with its context to be wrapped', async () => {
    await vault().unwrap(wrapped, CONTEXT);
    await vault().wrap(KEY, CONTEXT);
    expect(bodies.map((body) => Object.keys(JSON.parse(body)).toSorted())).toEqual([
      ['CiphertextBlob', 'EncryptionContext', 'KeyId'],
      ['EncryptionContext', 'KeyId', 'Plaintext'],
    ]);
  });
});
