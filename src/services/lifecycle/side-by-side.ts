import { listNamed, type NamedObject } from '../../db/stored.ts';
import type { ListedObject } from '../../ports/object-store.ts';
import type { StorageService } from '../storage.service.ts';
import type { LifecycleDeps } from './work.ts';

/** Objects of the store and rows that name objects, both of one range of keys and whole in it. */
export interface BothSides {
  readonly objects: readonly ListedObject[];
  readonly rows: readonly NamedObject[];
  /** The last key of the range; null for the last one of the prefix. */
  readonly next: string | null;
}

/**
 * The next range of a prefix, from behind `after`: it ends where the page of objects does, or earlier where so many rows
 * lie in it that have no object, all of them when the store was emptied. Bounded either way.
 */
export async function readBothSides(
  { db, storage }: Pick<LifecycleDeps, 'db'> & { readonly storage: Pick<StorageService, 'listFiles'> },
  range: { readonly prefix: string; readonly after: string | null },
  limits: { readonly objects: number; readonly rows: number },
  signal: AbortSignal,
): Promise<BothSides> {
  const { prefix, after } = range;
  const from = after === null ? {} : { after };
  const listed = await storage.listFiles(prefix, { pageSize: limits.objects, signal, ...from }).page();
  const rows = await listNamed(db, { prefix, after, to: listed.next, limit: limits.rows });
  const last = rows.length < limits.rows ? null : (rows.at(-1)?.key ?? null);
  if (last === null || last === listed.next) return { objects: listed.objects, rows, next: listed.next };
  return { objects: listed.objects.filter(({ key }) => key <= last), rows, next: last };
}
