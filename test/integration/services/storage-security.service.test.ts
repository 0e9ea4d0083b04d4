import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createLocalKeyVault } from '#src/adapters/keys/local.ts';
import { createTestDatabase, type TestDatabase } from '#test/support/database.ts';
import { insertFile } from '#src/db/files.ts';
import { markDamaged } from '#src/db/object-checks.ts';
import { announceObjects } from '#src/db/objects.ts';
import { warnOfDamage } from '#src/db/scrub.ts';
import { deleteVariants } from '#src/db/variants.ts';
import { sql } from 'kysely';
import { userId } from '#src/domain/ids.ts';
import type { FileState } from '#src/domain/file-state.ts';
import { uploadKey } from '#src/domain/keys.ts';
import { newFileId } from '#src/services/new-id.ts';
import type { KeyVault, WrappedKey } from '#src/ports/key-vault.ts';
import {
  createStorageSecurityService,
  type StorageSecurityService,
} from '#src/services/storage-security.service.ts';
import { photoIn as photoInState } from './photo-in-state.ts';

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
    signedUrlMaxSeconds: 3600,
    documentKeys: {
      save: async (fileId, key) => void rows.set(fileId, key),
      load: async (fileId) => rows.get(fileId) ?? null,
      destroy: async (fileId) => void rows.delete(fileId),
    },
  });
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

  describe('as a signed URL', () => {
    const moderator = { userId: 'moderator-1', roles: ['moderator'] } as const;
    const service = { userId: 'backend', roles: ['service'] } as const;
    const photoIn = (state: FileState, kind?: 'verification_document') =>
      photoInState(database.db, userId(seller.userId), state, kind);
    const auditOf = async (file: string) =>
      (await database.db.selectFrom('audit.entries').selectAll().where('file_id', '=', file).execute()).map(
        ({ user_id, action, details }) => ({ user_id, action, details }),
      );

    test('of a public rendition is for everybody, and no entry', async () => {
      const photo = await photoIn('ready');
      for (const who of [null, seller, stranger, moderator, service])
        expect(await security.generateSignedUrl(photo.original, 60, who)).toBe(
          `https://store.test/${photo.original}?expires=60`,
        );
      expect(await auditOf(photo.file)).toEqual([]);
    });

    test('of evidence that lies at a public key is for nobody, also while others may read its photo', async () => {
      const photo = await photoIn('ready');
      await deleteVariants(database.db, photo.file);
      for (const who of [null, seller, moderator])
        await expect(security.generateSignedUrl(photo.original, 60, who)).rejects.toMatchObject({
          code: 'FORBIDDEN',
        });
    });

    test('of bytes that are lost does not exist', async () => {
      const [photo, waiting] = [await photoIn('ready'), await photoIn('in_review')];
      await database.db.updateTable('objects').set({ state: 'live' }).execute();
      for (const [{ file }, lost] of [
        [photo, photo.original],
        [waiting, waiting.view],
      ] as const) {
        await markDamaged(database.db, lost);
        await warnOfDamage(database.db, file, 'DAMAGED', true);
        for (const who of [seller, moderator])
          await expect(security.generateSignedUrl(lost, 60, who)).rejects.toMatchObject({
            code: 'NOT_FOUND',
          });
      }
      expect(await auditOf(waiting.file)).toEqual([]);
    });

    test('of a view in quarantine is for owner and staff, after its entry was written', async () => {
      const photo = await photoIn('in_review');
      for (const who of [null, stranger])
        await expect(security.generateSignedUrl(photo.view, 60, who)).rejects.toMatchObject({
          code: 'NOT_FOUND',
        });
      await expect(security.generateSignedUrl(photo.view, 60, service)).rejects.toMatchObject({
        code: 'FORBIDDEN',
      });
      expect(await auditOf(photo.file)).toEqual([]);
      for (const who of [seller, moderator]) await security.generateSignedUrl(photo.view, 60, who);
      expect(await auditOf(photo.file)).toEqual(
        [seller, moderator].map((who) => ({
          user_id: who.userId,
          action: 'object.sign',
          details: { key: photo.view, expiration: 60 },
        })),
      );
    });

    test('of uploaded bytes or a document is for nobody', async () => {
      const photo = await photoIn('in_review');
      const scan = await photoIn('ready', 'verification_document');
      const admin = { userId: 'admin-1', roles: ['admin', 'moderator', 'service', 'seller'] } as const;
      for (const never of [photo.raw, photo.upload, scan.document, scan.original])
        for (const who of [seller, moderator, admin])
          await expect(security.generateSignedUrl(never, 60, who)).rejects.toMatchObject({
            code: 'FORBIDDEN',
          });
    });

    test('of a photo that is no longer public is refused, also under its public key', async () => {
      const photo = await photoIn('taken_down');
      await expect(security.generateSignedUrl(photo.original, 60, seller)).rejects.toMatchObject({
        code: 'FORBIDDEN',
      });
      await expect(security.generateSignedUrl(photo.original, 60, null)).rejects.toMatchObject({
        code: 'NOT_FOUND',
      });
    });

    test.each([0, -1, 3601, Number.NaN, Number.POSITIVE_INFINITY])(
      'does not last %s seconds',
      async (expiration) => {
        const photo = await photoIn('ready');
        await expect(security.generateSignedUrl(photo.original, expiration, null)).rejects.toMatchObject({
          code: 'INVALID_REQUEST',
          message: 'A link lasts 1 to 3600 seconds.',
        });
      },
    );

    test('of the ledger or of a key that nobody has does not exist', async () => {
      for (const missing of ['audit/anchors/0000000000000001-x.json', uploadKey(newFileId())])
        await expect(security.generateSignedUrl(missing, 60, moderator)).rejects.toMatchObject({
          code: 'NOT_FOUND',
        });
    });

    test('is not given when its entry cannot be written', async () => {
      const photo = await photoIn('in_review');
      await sql`create function refuse() returns trigger language plpgsql as $$ begin raise 'full'; end $$`.execute(
        database.db,
      );
      await sql`create trigger refuse before insert on audit.entries for each row execute function refuse()`.execute(
        database.db,
      );
      await expect(security.generateSignedUrl(photo.view, 60, seller)).rejects.toThrow('full');
      await sql`drop trigger refuse on audit.entries`.execute(database.db);
    });
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
