import {
  CreateAliasCommand,
  CreateKeyCommand,
  DecryptCommand,
  DescribeKeyCommand,
  EncryptCommand,
  GetKeyPolicyCommand,
  type KeyMetadata,
  KMSClient,
  paginateListAliases,
  ReEncryptCommand,
  ScheduleKeyDeletionCommand,
  UpdateAliasCommand,
} from '@aws-sdk/client-kms';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { isStorageError, StorageError } from '#src/domain/errors.ts';
import type { KeyVault, WrappingKey } from '#src/ports/key-vault.ts';
import { classifyKmsError } from './kms-errors.ts';

export interface KmsOptions {
  /** An alias (`alias/…`) for keys that rotate; the id or ARN of one key, which then stays for ever. */
  readonly keyId: string;
  readonly region: string;
  /** Another endpoint than the region's, for tests. */
  readonly endpoint?: string;
}

/** The shortest waiting period that KMS allows (ScheduleKeyDeletion, API reference 2025). Days. */
const DELETION_WAIT_DAYS = 7;
const ATTEMPTS = 5;
const CONNECT_MS = 2_000;
const ANSWER_MS = 5_000;

/**
 * AWS KMS as the key vault. Wrapping keys never leave it: data keys of 32 bytes go there to be wrapped, and rotation
 * re-wraps them inside (`ReEncrypt`). The context is KMS's encryption context, which CloudTrail shows with each call.
 *
 * KMS's own rotation keeps all earlier material for ever, so that a wrapped key in an old backup would always open. Here
 * each wrapping key is a KMS key of its own: `rotate` makes one with the policy of the current one and moves the alias to
 * it; `destroy` schedules the deletion of an old one, which is unusable from that moment.
 */
export function createKmsKeyVault(options: KmsOptions): KeyVault {
  const kms = new KMSClient({
    region: options.region,
    maxAttempts: ATTEMPTS,
    requestHandler: new NodeHttpHandler({ connectionTimeout: CONNECT_MS, requestTimeout: ANSWER_MS }),
    ...(options.endpoint !== undefined && { endpoint: options.endpoint }),
  });
  const { keyId: name } = options;
  const rotates = name.startsWith('alias/');
  let isClosed = false;

  /** One call, with its error classified. `subject`: the key it is about. */
  async function ask<T>(subject: string, isUnwrap: boolean, call: () => Promise<T>): Promise<T> {
    if (isClosed)
      throw new StorageError('INTERNAL', undefined, { details: { reason: 'the vault is closed' } });
    try {
      return await call();
    } catch (error) {
      throw classifyKmsError(error, subject, isUnwrap);
    }
  }

  async function keyOf(id: string): Promise<KeyMetadata> {
    const { KeyMetadata } = await ask(id, false, () => kms.send(new DescribeKeyCommand({ KeyId: id })));
    if (KeyMetadata === undefined) throw incomplete('DescribeKey');
    return KeyMetadata;
  }

  async function listKeys(): Promise<{ keys: readonly WrappingKey[]; current: WrappingKey }> {
    const current = { ...describe(await keyOf(name)), isCurrent: true };
    if (!rotates) return { keys: [current], current };
    const ids = await ask(name, false, async () => {
      const found = new Set<string>();
      for await (const page of paginateListAliases({ client: kms }, {}))
        for (const { AliasName = '', TargetKeyId } of page.Aliases ?? [])
          if (AliasName.startsWith(versionAlias(name, '')) && TargetKeyId !== undefined)
            found.add(TargetKeyId);
      return found;
    });
    const described = await Promise.all([...ids].map(keyOf));
    const older = described
      .filter((key) => key.KeyState !== 'PendingDeletion')
      .map(describe)
      .filter(({ id }) => id !== current.id);
    return {
      keys: [...older, current].toSorted((a, b) => a.createdAt.getTime() - b.createdAt.getTime()),
      current,
    };
  }

  /** So that the key is found again once the alias has moved on. */
  async function nameVersion({ KeyId = '' }: KeyMetadata): Promise<void> {
    const alias = new CreateAliasCommand({ AliasName: versionAlias(name, KeyId), TargetKeyId: KeyId });
    await ask(KeyId, false, () => kms.send(alias)).catch((error: unknown) => {
      if (!isStorageError(error, 'ALREADY_EXISTS')) throw error;
    });
  }

  return {
    name: 'kms',
    capabilities: { supportsRotation: rotates, destroyDelayDays: DELETION_WAIT_DAYS },

    async wrap(plaintext, context) {
      const command = new EncryptCommand({ KeyId: name, Plaintext: plaintext, EncryptionContext: context });
      const { KeyId, CiphertextBlob } = await ask(name, false, () => kms.send(command));
      if (KeyId === undefined || CiphertextBlob === undefined) throw incomplete('Encrypt');
      return { keyId: KeyId, ciphertext: CiphertextBlob };
    },

    async unwrap({ keyId, ciphertext }, context) {
      const command = new DecryptCommand({
        KeyId: keyId,
        CiphertextBlob: ciphertext,
        EncryptionContext: context,
      });
      const { Plaintext } = await ask(keyId, true, () => kms.send(command));
      if (Plaintext === undefined) throw incomplete('Decrypt');
      return Plaintext;
    },

    async rewrap({ keyId, ciphertext }, context) {
      const command = new ReEncryptCommand({
        CiphertextBlob: ciphertext,
        SourceKeyId: keyId,
        SourceEncryptionContext: context,
        DestinationKeyId: name,
        DestinationEncryptionContext: context,
      });
      const answer = await ask(keyId, true, () => kms.send(command));
      if (answer.KeyId === undefined || answer.CiphertextBlob === undefined) throw incomplete('ReEncrypt');
      return { keyId: answer.KeyId, ciphertext: answer.CiphertextBlob };
    },

    wrappingKeys: async () => (await listKeys()).keys,

    async rotate() {
      if (!rotates)
        throw new StorageError('UNSUPPORTED', 'Keys rotate only where KMS_KEY_ID is an alias (alias/…).');
      const before = await keyOf(name);
      await nameVersion(before);
      const { KeyId = '' } = before;
      const policy = await ask(KeyId, false, () =>
        kms.send(new GetKeyPolicyCommand({ KeyId, PolicyName: 'default' })),
      );
      const create = new CreateKeyCommand({
        Description: `LocalEx Storage: wraps the keys of documents (${name})`,
        Tags: [{ TagKey: 'localex-storage', TagValue: 'document-keys' }],
        ...(policy.Policy !== undefined && { Policy: policy.Policy }),
      });
      const { KeyMetadata: made } = await ask(name, false, () => kms.send(create));
      if (made?.KeyId === undefined) throw incomplete('CreateKey');
      await nameVersion(made);
      const move = new UpdateAliasCommand({ AliasName: name, TargetKeyId: made.KeyId });
      await ask(name, false, () => kms.send(move));
      return { ...describe(made), isCurrent: true };
    },

    async destroy(keyId) {
      if (!rotates) throw new StorageError('UNSUPPORTED');
      const { keys, current } = await listKeys();
      if (keyId === current.id)
        throw new StorageError('CONFLICT', 'The current wrapping key cannot be destroyed.');
      // Only what this vault has made or used: never another key of the account.
      if (!keys.some(({ id }) => id === keyId)) return;
      const command = new ScheduleKeyDeletionCommand({
        KeyId: keyId,
        PendingWindowInDays: DELETION_WAIT_DAYS,
      });
      await ask(keyId, false, () => kms.send(command));
    },

    async ping() {
      const { KeyState } = await keyOf(name);
      if (KeyState !== 'Enabled')
        throw new StorageError('KEYS_UNAVAILABLE', `The key ${name} in KMS is ${KeyState ?? 'in no state'}.`);
    },

    async close() {
      isClosed = true;
      kms.destroy();
    },
  };
}

/** `alias/name-version-<key id>`: names every key that the alias has pointed to. */
function versionAlias(name: string, id: string): string {
  return `${name}-version-${id}`;
}

function describe({ Arn, CreationDate }: KeyMetadata): WrappingKey {
  if (Arn === undefined || CreationDate === undefined) throw incomplete('DescribeKey');
  return { id: Arn, createdAt: CreationDate, isCurrent: false };
}

function incomplete(call: string): StorageError {
  return new StorageError('KEYS_UNAVAILABLE', undefined, {
    details: { call, reason: 'the answer is incomplete' },
  });
}
