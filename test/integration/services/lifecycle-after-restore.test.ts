import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { sealEntries } from '#src/db/audit/sealing.ts';
import { StorageError } from '#src/domain/errors.ts';
import { objectKey } from '#src/domain/keys.ts';
import { createAuditService } from '#src/services/audit.service.ts';
import { anchorHead } from '#src/services/audit/anchors.ts';
import { createLifecycleService, type LifecycleService } from '#src/services/lifecycle.service.ts';
import { createStorageService, type StorageService } from '#src/services/storage.service.ts';
import { type Ledger, openLedger } from '../audit/ledger.ts';

const ADMIN = { userId: 'admin-1', roles: ['admin'] } as const;
/** Of photos that came after the backup: no row of the restored database names them. */
const NEWER = [1, 2, 3].map((n) =>
  objectKey(`items/large/one/019a8c6e-6c1e-7b57-9d0c-00000000000${n}-0123456789ab.jpg`),
);
const MAY_BE_NEWER = 'may be newer than the database';

let ledger: Ledger;
beforeEach(async () => {
  ledger = await openLedger();
  for (const key of NEWER)
    for (const store of [ledger.primary, ledger.replica])
      await store.put(key, Buffer.from('bytes'), { contentType: 'image/jpeg' });
});
afterEach(() => ledger.close());

/** The lifecycle, so many days later. */
function after(days: number, storage: StorageService = ledger.storage): LifecycleService {
  return createLifecycleService({
    db: ledger.db,
    storage,
    log: ledger.log,
    replica: createStorageService({ store: ledger.replica }),
    clock: { now: () => new Date(Date.now() + days * 86_400_000) },
    viewsComeFrom: 'edge',
    capabilities: ledger.primary.capabilities,
    sweepIncomplete: async () => 0,
    deliverNow: async () => undefined,
  });
}

async function stored(): Promise<string[]> {
  const both = [ledger.primary, ledger.replica].map((store) => store.list('items/', { limit: 1000 }));
  return (await Promise.all(both)).flatMap(({ objects }) => objects.map(({ key }) => key));
}
const BOTH = [...NEWER, ...NEWER];

/** A backup, then an anchor that the restored chain does not reach. */
async function restoreBackup(): Promise<void> {
  await ledger.fill(10);
  await anchorHead(ledger);
  const restore = await ledger.backUp();
  await ledger.fill(10);
  await anchorHead(ledger);
  await restore();
}

async function accept(): Promise<void> {
  const audit = createAuditService(ledger);
  const lastGood = (await audit.restores(ADMIN)).open?.lastGood ?? null;
  await audit.acceptRestore(ADMIN, { lastGood, reason: 'Disk of the database failed' });
  while ((await sealEntries(ledger.db, 100)) !== 0);
}

/** A run by itself, one that somebody starts, and one that only looks. */
async function expectKept(days: number, refusal: object, storage?: StorageService): Promise<void> {
  for (const how of [{ unattended: true }, {}, { dryRun: true }]) {
    const { rules, refused } = await after(days, storage).carryOut(how);
    for (const rule of ['reconcile items/', 'reconcile items/ in the replica']) {
      expect(rules[rule]).toMatchObject({ seen: 3, done: 0, left: { [MAY_BE_NEWER]: 3 } });
      expect(refused).toContainEqual({ rules: expect.arrayContaining([rule]), ...refusal });
    }
  }
  expect(await stored()).toEqual(BOTH);
}

describe('what no row names after a restore of the database', () => {
  test('stays while the ledger has lost anchors, and for thirty days after an admin has accepted that', async () => {
    await restoreBackup();
    const lost = {
      code: 'CONFLICT',
      message: expect.stringContaining('does not go through all its anchors'),
    };
    await expectKept(2, lost);
    expect(ledger.lines).toContainEqual({
      level: 'warn',
      details: lost,
      message: 'objects that no row names are left',
    });

    // The chain grows past what it has lost, with a last anchor that it goes through.
    await ledger.fill(30);
    await anchorHead(ledger);
    await expectKept(40, lost);

    await accept();
    const accepted = { code: 'CONFLICT', message: expect.stringContaining('A restore of the database was') };
    await expectKept(2, accepted);
    await expectKept(29.9, accepted);
    const { rules, refused } = await after(30.1).carryOut({ unattended: true });
    expect(rules['reconcile items/']).toMatchObject({ done: 3, left: {} });
    expect(refused).toEqual([]);
    expect(await stored()).toEqual([]);
  });

  test('stays beside an empty database, few as they are', async () => {
    const restore = await ledger.backUp();
    await ledger.fill(10);
    await anchorHead(ledger);
    await restore();
    await expectKept(2, { code: 'CONFLICT', message: expect.any(String) });
  });

  test.each(['STORAGE_UNAVAILABLE', 'FORBIDDEN'] as const)(
    'stays while the anchors cannot be read (%s), and goes once they can',
    async (code) => {
      await ledger.fill(10);
      await anchorHead(ledger);
      const unread: StorageService = {
        ...ledger.storage,
        listFiles(prefix, options) {
          if (prefix === 'audit/anchors/') throw new StorageError(code);
          return ledger.storage.listFiles(prefix, options);
        },
      };
      await expectKept(2, { code, message: expect.stringContaining('could not be read') }, unread);
      await after(2).carryOut({ unattended: true });
      expect(await stored()).toEqual([]);
    },
  );
});
