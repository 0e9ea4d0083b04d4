import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createLocalKeyVault } from '#src/adapters/keys/local.ts';
import { createTestDatabase, type TestDatabase } from '#test/support/database.ts';
import { insertFile } from '#src/db/files.ts';
import { announceObjects } from '#src/db/objects.ts';
import { uploadKey } from '#src/domain/keys.ts';
import { newFileId } from '#src/services/new-id.ts';
import type { KeyVault, WrappedKey } from '#src/ports/key-vault.ts';
import {
  createStorageSecurityService,
  type StorageSecurityService,
} from '#src/services/storage-security.service.ts';

const passport = { fileId: 'file-1', ownerId: 'user-1' };
let folder: string;
let database: TestDatabase;
let vault: KeyVault;
let rows: Map<string, WrappedKey>;
let security: StorageSecurityService;

beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'localex-security-'));
  database = await createTestDatabase();
  vault = await createLocalKeyVault({ path: path.join(folder, 'vault.key') });
});
afterAll(async () => {
  await database.close();
  await vault.close();
  await rm(folder, { recursive: true, force: true });
});
beforeEach(() => {
  rows = new Map();
  security = createStorageSecurityService({
    db: database.db,
    storage: { getSignedUrl: async (key, expiration) => `https://store.test/${key}?expires=${expiration}` },
    vault,
    documentKeys: {
      save: async (fileId, key) => void rows.set(fileId, key),
      load: async (fileId) => rows.get(fileId) ?? null,
      destroy: async (fileId) => void rows.delete(fileId),
    },
  });
});

test('a signed URL is that of the store', async () => {
  expect(await security.generateSignedUrl('items/a', 60)).toBe('https://store.test/items/a?expires=60');
});

test('an encrypted document is opened with the key in its row', async () => {
  const sealed = await encrypt('passport of user-1');
  expect(sealed.includes('passport')).toBe(false);
  expect(await open(sealed)).toBe('passport of user-1');
});

test('the row holds the key wrapped, and each document has another one', async () => {
  await security.encryptFile(passport);
  await security.encryptFile({ fileId: 'file-2', ownerId: 'user-1' });
  const [one, two] = [...rows.values()];
  if (one === undefined || two === undefined) throw new Error('Expected two rows');
  const keyOf = (row: WrappedKey, fileId: string) =>
    vault.unwrap(row, { purpose: 'document', fileId, ownerId: 'user-1' });
  const [first, second] = [await keyOf(one, 'file-1'), await keyOf(two, 'file-2')];
  expect(first).toHaveLength(32);
  expect(first.some((byte) => byte !== 0)).toBe(true);
  expect(first).not.toEqual(second);
});

test('a shredded document cannot be opened any more', async () => {
  await encrypt('passport');
  await security.shredFile(passport.fileId);
  await expect(security.decryptFile(passport)).rejects.toMatchObject({ code: 'NOT_FOUND' });
});

test('the key of one document opens no other, and not the same one for another owner', async () => {
  await encrypt('passport');
  const row = rows.get(passport.fileId);
  if (row === undefined) throw new Error('Expected a row');
  rows.set('file-2', row);
  await expect(security.decryptFile({ ...passport, fileId: 'file-2' })).rejects.toMatchObject({
    code: 'FORBIDDEN',
  });
  await expect(security.decryptFile({ ...passport, ownerId: 'user-2' })).rejects.toMatchObject({
    code: 'FORBIDDEN',
  });
});

describe('access by object key', () => {
  const seller = { userId: 'seller-1', roles: ['seller'] } as const;
  const stranger = { userId: 'seller-2', roles: ['seller'] } as const;
  const id = newFileId();
  const key = uploadKey(id);

  beforeAll(async () => {
    await insertFile(database.db, {
      id,
      kind: 'profile_photo',
      itemId: null,
      ownerId: seller.userId,
      position: null,
      filename: 'me.jpg',
      claimedType: null,
      claimedBytes: null,
      claimedSha256: null,
      deadlineAt: new Date(Date.now() + 60_000),
    });
    await announceObjects(database.db, id, [key]);
  });

  test('is that of the file the key belongs to', async () => {
    expect(await security.validateAccess(seller, key, 'read_content')).toBe(true);
    expect(await security.validateAccess(stranger, key, 'read_content')).toBe(false);
    expect(await security.validateAccess(null, key, 'read')).toBe(false);
  });

  test('is refused for a key that no file has', async () => {
    expect(await security.validateAccess(seller, uploadKey(newFileId()), 'read')).toBe(false);
  });

  test('is written down with who, what and which file', async () => {
    await security.auditAccess(seller, key, 'object.read');
    const written = await database.db
      .selectFrom('audit.entries')
      .selectAll()
      .where('file_id', '=', id)
      .execute();
    expect(written).toMatchObject([
      { user_id: seller.userId, action: 'object.read', file_id: id, details: { key } },
    ]);
  });
});

async function encrypt(document: string): Promise<Buffer> {
  return Buffer.concat(
    await Readable.from([Buffer.from(document)])
      .pipe(await security.encryptFile(passport))
      .toArray(),
  );
}

async function open(sealed: Buffer): Promise<string> {
  return text(Readable.from([sealed]).pipe(await security.decryptFile(passport)));
}
