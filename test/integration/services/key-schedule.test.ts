import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { KeyVault } from '#src/ports/key-vault.ts';
import { keepKeys } from '#src/services/key-rotation.ts';
import { createStorageSecurityService } from '#src/services/storage-security.service.ts';
import { until } from '#test/support/app.ts';
import { openRotation, type Rotation, type StoredDocument } from './key-rotation-harness.ts';

const DAY_MS = 86_400_000;
const POLICY = { rotationDays: 7, lifetimeDays: 30 };

let on: Rotation;
beforeEach(async () => {
  on = await openRotation();
});
afterEach(() => on.close());

describe('the schedule of keys', () => {
  /** Days pass, with an hourly look at the keys and a worker that re-wraps. */
  async function live(days: number): Promise<void> {
    for (let day = 0; day < days; day += 1) {
      on.now = new Date(on.now.getTime() + DAY_MS);
      // A run that is about to end does not see the new key: the next look starts another.
      await until('a day of keys', async () => {
        await keepKeys(on.deps(), POLICY);
        return (await on.isRewrapped()) ? true : null;
      });
    }
  }
  /** The local vault dates its keys by the clock of the machine: here by that of the test. */
  function dated(inner: KeyVault): KeyVault {
    const made = new Map<string, Date>();
    const date = <T extends { id: string; createdAt: Date }>(key: T): T => ({
      ...key,
      createdAt: made.get(key.id) ?? key.createdAt,
    });
    return {
      ...inner,
      wrappingKeys: async () => (await inner.wrappingKeys()).map(date),
      rotate: async () => {
        const key = await inner.rotate();
        made.set(key.id, on.now);
        return date(key);
      },
    };
  }

  test('a deleted document and a backup older than the retention open nothing, a younger one and the living do', async () => {
    on.vault = dated(on.vault);
    const deleted = await on.newDocument('passport of somebody who left');
    const kept = await on.newDocument('passport of somebody who stays');
    await on.startWorker();

    const backup = await on.database.db.selectFrom('document_keys').selectAll().execute();
    await on.securityWith(on.vault).shredFile(deleted.fileId);
    await expect(on.read(deleted)).rejects.toMatchObject({ code: 'NOT_FOUND' });

    /** What somebody has who kept the objects, an old dump of the table, and gets all keys that there are now. */
    const openWithBackup = async ({ fileId, ownerId, object }: StoredDocument): Promise<string> => {
      const row = backup.find((entry) => entry.file_id === fileId);
      if (row === undefined) throw new Error('Expected a row in the backup');
      const thief = createStorageSecurityService({
        db: on.database.db,
        storage: { getSignedUrl: async () => '' },
        vault: on.vault,
        signedUrlMaxSeconds: 60,
        documentKeys: {
          save: async () => undefined,
          load: async () => ({ keyId: row.key_id, ciphertext: row.ciphertext }),
          destroy: async () => undefined,
        },
      });
      return text(Readable.from([object]).pipe(await thief.decryptFile({ fileId, ownerId })));
    };

    await live(22);
    // Within the retention a backup is of use: it brings everything back.
    expect(await openWithBackup(deleted)).toBe('passport of somebody who left');
    await live(8);
    for (const document of [deleted, kept])
      await expect(openWithBackup(document)).rejects.toMatchObject({ code: 'FORBIDDEN' });
    expect(await readFile(join(on.folder, 'vault.key'), 'utf8')).not.toContain(backup[0]?.key_id);
    // Who stayed was re-wrapped all along.
    expect(await on.read(kept)).toBe('passport of somebody who stays');
    await live(70);
    expect(await on.read(kept)).toBe('passport of somebody who stays');
    expect((await on.vault.wrappingKeys()).length).toBeLessThanOrEqual(5);
  }, 60_000);

  test('a key that documents still need outlives its time, and that is said', async () => {
    on.vault = dated(on.vault);
    const document = await on.newDocument('passport');
    await on.vault.rotate();
    on.now = new Date(on.now.getTime() + 40 * DAY_MS);
    await keepKeys(on.deps(), POLICY);
    expect(await on.read(document)).toBe('passport');
    expect(on.log.lines).toContainEqual(
      expect.objectContaining({ message: 'a wrapping key is due to be destroyed and still needed' }),
    );
  });

  test('rotates nothing before its time, and one run re-wraps at a time', async () => {
    on.vault = dated(on.vault);
    await on.newDocument('passport');
    await keepKeys(on.deps(), POLICY);
    expect(await on.vault.wrappingKeys()).toHaveLength(1);
    on.now = new Date(on.now.getTime() + 7 * DAY_MS);
    await keepKeys(on.deps(), POLICY);
    await keepKeys(on.deps(), POLICY);
    expect(await on.vault.wrappingKeys()).toHaveLength(2);
    expect(await on.database.db.selectFrom('runs').select('kind').execute()).toEqual([
      { kind: 'rewrap-keys' },
    ]);
  });
});
