import { buffer } from 'node:stream/consumers';
import { expect } from 'vitest';
import type { Principal } from '#src/domain/access.ts';
import { type FileId, fileId, type ItemId } from '#src/domain/ids.ts';
import { sweep } from '#src/jobs/sweep.ts';
import { createLifecycleService } from '#src/services/lifecycle.service.ts';
import { ADMIN, listingWithPhotos } from '#test/support/ageing.ts';
import { storedKeys, type TestApp, untilDelivered } from '#test/support/app.ts';

/** What everybody is answered who would remove what is held. */
export const LEGAL = { code: 'LEGAL_HOLD' };

export interface Held {
  readonly seller: Principal;
  readonly item: ItemId;
  readonly id: FileId;
  /** Its public original. */
  readonly key: string;
  readonly bytes: Buffer;
}

/** A ready photo of a listing of its own, under hold. */
export async function heldPhoto(app: TestApp): Promise<Held> {
  const { seller, item, photos } = await listingWithPhotos(app);
  const id = fileId(photos[0] ?? '');
  await app.lifecycle.setHold(ADMIN, id, 'Case 4711');
  const key = await originalKey(app, id);
  return { seller, item, id, key, bytes: await bytesAt(app, key) };
}

/** The whole service, days later: rules, sweep, outbox. */
export async function everythingRuns(app: TestApp, days = 4_000): Promise<void> {
  const clock = { now: () => new Date(Date.now() + days * 86_400_000) };
  const later = createLifecycleService({
    ...app.jobs,
    clock,
    viewsComeFrom: 'edge',
    capabilities: app.store.capabilities,
    sweepIncomplete: (ms) => app.store.sweepIncomplete(ms),
  });
  await later.carryOut();
  await sweep({ ...app.jobs, clock });
  await untilDelivered(app);
}

export async function keysOf(app: TestApp, id: string): Promise<string[]> {
  return (await storedKeys(app)).filter((key) => key.includes(id));
}

export async function bytesAt(app: TestApp, key: string): Promise<Buffer> {
  return buffer((await app.storage.downloadFile(key)).body);
}

export async function originalKey(app: TestApp, id: string): Promise<string> {
  const { key } = await app.db
    .selectFrom('variants')
    .select('key')
    .where('file_id', '=', id)
    .where('name', '=', 'original')
    .executeTakeFirstOrThrow();
  return key;
}

export async function expectKept(app: TestApp, { key, bytes }: Held): Promise<void> {
  await everythingRuns(app);
  expect((await bytesAt(app, key)).equals(bytes)).toBe(true);
}
