import { afterAll, beforeAll, expect, test } from 'vitest';
import { standingOf } from '#src/db/objects.ts';
import { objectKey } from '#src/domain/keys.ts';
import { createLifecycleService, type LifecycleService } from '#src/services/lifecycle.service.ts';
import { createStorageService } from '#src/services/storage.service.ts';
import { ADMIN, listingWithPhotos } from '#test/support/ageing.ts';
import { startApp, type TestApp, untilDelivered } from '#test/support/app.ts';
import { openReplica, type Replica } from './scrub-harness.ts';

let app: TestApp;
let replica: Replica;
beforeAll(async () => {
  [app, replica] = [await startApp(), await openReplica()];
}, 60_000);
afterAll(async () => {
  await app.close();
  await replica.close();
});

/** The lifecycle with that replica, so many days later. */
function after(days: number): LifecycleService {
  const standing = { store: replica.store, standingOf: (key: string) => standingOf(app.db, key) };
  return createLifecycleService({
    ...app.jobs,
    storage: createStorageService({ store: app.store, replica: standing }),
    replica: createStorageService({ store: replica.store }),
    clock: { now: () => new Date(Date.now() + days * 86_400_000) },
    viewsComeFrom: 'edge',
    capabilities: app.store.capabilities,
    sweepIncomplete: async () => 0,
  });
}

const inReplica = async () =>
  (await replica.store.list('items/', { limit: 1000 })).objects.map(({ key }): string => key);
const put = (key: string) =>
  replica.store.put(objectKey(key), Buffer.from('bytes'), { contentType: 'image/jpeg' });

test('what the replica alone has and no row names is removed after its grace, and nothing else', async () => {
  const { item } = await listingWithPhotos(app);
  await replica.replicate(app);
  const named = await inReplica();
  const stray = 'items/large/lost/019a8c6e-6c1e-7b57-9d0c-00000000dead-0123456789ab.jpg';
  await put(stray);
  expect((await after(0.5).optimizeStorage()).rules['reconcile items/ in the replica']?.done).toBe(0);
  const planned = await after(2).optimizeStorage({ dryRun: true });
  expect(planned.rules['reconcile items/ in the replica']).toMatchObject({ done: 1, bytes: 5 });
  expect(await inReplica()).toContain(stray);
  const { rules } = await after(2).optimizeStorage();
  expect(rules['reconcile items/ in the replica']).toMatchObject({ done: 1, bytes: 5 });
  expect(rules['reconcile items/']?.done).toBe(0);
  expect(await inReplica()).toEqual(named);

  // Deleted by a service that does not know the replica, as one that did not reach it.
  await app.items.deleteItem(ADMIN, item);
  await untilDelivered(app);
  expect((await after(2).optimizeStorage()).rules['reconcile items/ in the replica']?.done).toBe(
    named.length,
  );
  expect(await inReplica()).toEqual([]);
});

test('what the replica lacks is not missing: it may be on its way', async () => {
  await listingWithPhotos(app);
  const { rules } = await after(2).optimizeStorage();
  expect(rules['reconcile items/ in the replica']?.done).toBe(0);
});

test('most of it stays when nobody asked, as beside an empty database', async () => {
  for (let n = 0; n < 12; n += 1) await put(`quarantine/view/stray-${n}.jpg`);
  const { rules } = await after(2).optimizeStorage({ unattended: true });
  expect(rules['reconcile quarantine/ in the replica']).toMatchObject({
    done: 0,
    left: { 'too many at once': 12 },
  });
});
