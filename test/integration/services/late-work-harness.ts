import { expect } from 'vitest';
import { createStorageService } from '#src/services/storage.service.ts';
import { fileId } from '#src/domain/ids.ts';
import type { JobDeps } from '#src/jobs/deps.ts';
import type { JobContext } from '#src/ports/job-queue.ts';
import { distinctPhoto, newItem, SELLER, storedKeys, type TestApp } from '#test/support/app.ts';
import { type FaultyStore, faultyStore } from '#test/support/faulty-store.ts';

const ASYNC = { waitMs: 0 };

/** Of a job that is tried for the first time. */
export function context(overrides: Partial<JobContext> = {}): JobContext {
  return {
    id: 'job',
    attempt: 1,
    isLastAttempt: false,
    isExhausted: false,
    signal: new AbortController().signal,
    ...overrides,
  };
}

/** What the tests of late work share, about the service that they have started. */
export function lateWork(service: () => TestApp) {
  const received = async (who = SELLER) => {
    const app = service();
    const item = await newItem(app, who);
    const { photo } = await app.files.uploadItemPhoto(who, item, await distinctPhoto(), ASYNC);
    expect(photo.state).toBe('received');
    return { item, id: fileId(photo.id) };
  };
  /** The same service, `hours` later. */
  const later = (hours: number, jobs: JobDeps = service().jobs): JobDeps => ({
    ...jobs,
    clock: { now: () => new Date(Date.now() + hours * 3_600_000) },
  });
  /** Deps whose store fails as planned, with retries that do not wait. */
  const underFaults = (): { jobs: JobDeps; store: FaultyStore } => {
    const { store: real, jobs } = service();
    const store = faultyStore(real);
    const retry = { attempts: 2, baseMs: 1, capMs: 1 };
    return { jobs: { ...jobs, storage: createStorageService({ store, retry }) }, store };
  };
  const keysOf = async (id: string) => (await storedKeys(service())).filter((key) => key.includes(id));
  return { received, later, underFaults, keysOf };
}
