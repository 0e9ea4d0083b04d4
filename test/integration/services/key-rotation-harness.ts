import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer, text } from 'node:stream/consumers';
import { createLocalKeyVault } from '#src/adapters/keys/local.ts';
import {
  countByWrappingKey,
  destroyDocumentKey,
  loadDocumentKey,
  saveDocumentKey,
} from '#src/db/document-keys.ts';
import { insertFile } from '#src/db/files.ts';
import { type FileId, type UserId, userId } from '#src/domain/ids.ts';
import { createListener } from '#src/db/listener.ts';
import { rewrapKeys } from '#src/jobs/rewrap-keys.ts';
import { startRunner } from '#src/jobs/runner.ts';
import type { KeyVault } from '#src/ports/key-vault.ts';
import { newFileId } from '#src/services/new-id.ts';
import {
  createStorageSecurityService,
  type StorageSecurityService,
} from '#src/services/storage-security.service.ts';
import { until } from '#test/support/app.ts';
import { createTestDatabase, type TestDatabase } from '#test/support/database.ts';
import { recordingLog } from '#test/support/recording-log.ts';

/** An identity document, encrypted: its rows, and what lies in the object store. */
export interface StoredDocument {
  readonly fileId: FileId;
  readonly ownerId: UserId;
  readonly object: Buffer;
}

export interface Rotation {
  readonly database: TestDatabase;
  readonly folder: string;
  readonly log: ReturnType<typeof recordingLog>;
  vault: KeyVault;
  now: Date;
  deps(): { db: TestDatabase['db']; vault: KeyVault; clock: { now(): Date }; log: Rotation['log'] };
  securityWith(keys: KeyVault): StorageSecurityService;
  /** A document of its own owner. */
  newDocument(content: string): Promise<StoredDocument>;
  read(document: StoredDocument): Promise<string>;
  /** A worker that re-wraps, with that vault. */
  startWorker(vault?: KeyVault): Promise<{ close(): Promise<void> }>;
  isRewrapped(): Promise<boolean>;
  untilRewrapped(): Promise<void>;
  close(): Promise<void>;
}

/** Documents with keys of their own, a vault in a file, and a clock to be set. */
export async function openRotation(): Promise<Rotation> {
  const database = await createTestDatabase();
  const { db } = database;
  const folder = await mkdtemp(join(tmpdir(), 'localex-rotation-'));
  const closing: (() => Promise<void>)[] = [];
  const on: Rotation = {
    database,
    folder,
    log: recordingLog(),
    vault: await createLocalKeyVault({ path: join(folder, 'vault.key') }),
    now: new Date(),
    deps: () => ({ db, vault: on.vault, clock: { now: () => on.now }, log: on.log }),
    securityWith: (vault) =>
      createStorageSecurityService({
        db,
        storage: { getSignedUrl: async () => '' },
        vault,
        signedUrlMaxSeconds: 60,
        documentKeys: {
          save: (id, key, trx) => saveDocumentKey(trx ?? db, id, key),
          load: (id) => loadDocumentKey(db, id),
          destroy: (id, trx) => destroyDocumentKey(trx ?? db, id),
        },
      }),
    async newDocument(content) {
      const fileId = newFileId();
      const ownerId = userId(`user-${fileId}`);
      await insertFile(db, {
        id: fileId,
        kind: 'verification_document',
        itemId: null,
        ownerId,
        position: null,
        filename: 'passport.jpg',
        claimedType: null,
        claimedBytes: null,
        claimedSha256: null,
        deadlineAt: new Date(Date.now() + 60_000),
      });
      const encrypting = await on.securityWith(on.vault).encryptFile({ fileId, ownerId });
      const object = await buffer(Readable.from([Buffer.from(content)]).pipe(encrypting));
      return { fileId, ownerId, object };
    },
    async read({ fileId, ownerId, object }) {
      const decrypting = await on.securityWith(on.vault).decryptFile({ fileId, ownerId });
      return text(Readable.from([object]).pipe(decrypting));
    },
    async startWorker(vault = on.vault) {
      const listener = createListener({ connection: database.connection, log: on.log });
      const rewrap = rewrapKeys({ ...on.deps(), vault }, { settleMs: 0 });
      const runner = await startRunner(on.deps(), listener, { 'rewrap-keys': rewrap });
      const close = async () => {
        await runner.close();
        await listener.close();
      };
      closing.push(close);
      return { close };
    },
    async isRewrapped() {
      const current = (await on.vault.wrappingKeys()).find((key) => key.isCurrent)?.id;
      return [...(await countByWrappingKey(db)).keys()].every((id) => id === current);
    },
    async untilRewrapped() {
      await until('every key to be re-wrapped', async () => ((await on.isRewrapped()) ? true : null));
    },
    async close() {
      for (const close of closing.toReversed()) await close();
      await on.vault.close();
      await database.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
  return on;
}
