import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';
import { StorageError } from '../domain/errors.ts';
import type { Cdn } from '../ports/cdn.ts';
import type { CdnService } from '../services/cdn.service.ts';
import type { RunHandler } from './runner.ts';

const params = z.object({ keys: z.array(z.string()) });
const asked = z.object({ ticket: z.string() });

const ASK_MS = 500;
/** Objects between two checkpoints. */
const WARM_BATCH = 40;

/** Purges and waits until the CDN says that it is done everywhere. */
export function cdnInvalidationRun(deps: { service: CdnService; cdn: Cdn }): RunHandler {
  return async ({ params: given, dryRun, cursor, signal, checkpoint }) => {
    const { keys } = params.parse(given);
    const actions = keys.map((subject) => ({ action: 'purge', subject }));
    if (dryRun) {
      await checkpoint(null, { done: keys.length, total: keys.length, note: null }, actions);
      return { keys: keys.length };
    }
    const before = asked.safeParse(cursor);
    const ticket = before.success ? before.data.ticket : await deps.service.invalidateCache(keys);
    const note = 'waiting for the CDN';
    if (!before.success) await checkpoint({ ticket }, { done: 0, total: keys.length, note }, actions);
    while (!(await deps.cdn.isPurged(ticket))) {
      await pause(ASK_MS, undefined, { signal }).catch(() => undefined);
      await checkpoint({ ticket }, { done: 0, total: keys.length, note });
    }
    await checkpoint({ ticket }, { done: keys.length, total: keys.length, note: null });
    return { keys: keys.length };
  };
}

const place = z.object({ done: z.int(), warmed: z.int(), bytes: z.int(), failed: z.int() });

/** Fetches objects through the CDN, some at a time. */
export function cdnWarmRun(deps: { service: CdnService }): RunHandler {
  return async ({ params: given, dryRun, cursor, signal, checkpoint }) => {
    const { keys } = params.parse(given);
    const before = place.safeParse(cursor);
    let at = before.success ? before.data : { done: 0, warmed: 0, bytes: 0, failed: 0 };
    while (at.done < keys.length) {
      const batch = keys.slice(at.done, at.done + WARM_BATCH);
      const report = dryRun
        ? { warmed: 0, bytes: 0, failed: [] }
        : await deps.service.warmCache(batch, { signal });
      if (signal.aborted) throw new StorageError('ABORTED');
      const failed = new Map(report.failed.map(({ key, status }) => [key, status]));
      at = {
        done: at.done + batch.length,
        warmed: at.warmed + report.warmed,
        bytes: at.bytes + report.bytes,
        failed: at.failed + failed.size,
      };
      const actions = batch.map((subject) =>
        failed.has(subject)
          ? { action: 'warm-failed', subject, details: { status: failed.get(subject) ?? null } }
          : { action: 'warm', subject },
      );
      await checkpoint(at, { done: at.done, total: keys.length, note: null }, actions);
    }
    const { warmed, bytes, failed } = at;
    return { keys: keys.length, warmed, bytes, failed };
  };
}
