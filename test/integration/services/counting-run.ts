import { setTimeout as pause } from 'node:timers/promises';
import type { RunHandler } from '#src/jobs/runner.ts';

/** A run that counts to `params.to`, one number a checkpoint, `stepMs` apart, and records each number. */
export function counting(stepMs: number): RunHandler {
  return async ({ params, cursor, checkpoint }) => {
    const to = Number(params['to']);
    for (let at = Number(cursor?.['at'] ?? 0) + 1; at <= to; at += 1) {
      await pause(stepMs);
      await checkpoint({ at }, { done: at, total: to, note: null }, [{ action: 'count', subject: `${at}` }]);
    }
    return { counted: to };
  };
}
