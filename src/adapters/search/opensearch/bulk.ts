import { z } from 'zod';
import { StorageError } from '#src/domain/errors.ts';
import type { IndexEntry, Written } from '#src/ports/search.ts';

/** The lines of a bulk request that writes entries under their own versions. */
export function bulkLines(alias: string, entries: readonly IndexEntry[]): object[] {
  return entries.flatMap(({ id, version, document }) => [
    { index: { _index: alias, _id: id, version, version_type: 'external_gte' } },
    document === null ? { id, version, deleted: true } : { ...document, version, deleted: false },
  ]);
}

const Answer = z.object({
  items: z.array(
    z.object({
      index: z.object({
        _id: z.string(),
        status: z.number(),
        error: z.object({ type: z.string(), reason: z.string().nullish() }).optional(),
      }),
    }),
  ),
});

/** What became of each entry. Errors: NOT_FOUND for an index that is gone, SEARCH_UNAVAILABLE when all must be sent again. */
export function bulkOutcome(answer: unknown): Written {
  let outdated = 0;
  const refused: { id: string; reason: string }[] = [];
  for (const { index } of Answer.parse(answer).items) {
    const { _id: id, status, error } = index;
    if (status < 300) continue;
    const reason = `${error?.type}: ${error?.reason}`;
    if (status === 409) outdated += 1;
    else if (status === 404) throw new StorageError('NOT_FOUND', 'There is no such search index.');
    else if (status === 400) refused.push({ id, reason });
    else throw new StorageError('SEARCH_UNAVAILABLE', undefined, { details: { status, reason } });
  }
  return { outdated, refused };
}
