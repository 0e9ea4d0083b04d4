import { sql } from 'kysely';
import type { FileState } from '../domain/file-state.ts';
import type { StorageClass } from '../domain/storage-class.ts';
import type { Db } from './schema.ts';

/** A row that names an object. */
export interface NamedObject {
  readonly key: string;
  readonly fileId: string;
  readonly state: 'writing' | 'live' | 'deleting';
  readonly storageClass: StorageClass;
  readonly fileState: FileState;
  readonly changedAt: Date;
  readonly held: boolean;
}

/** Rows whose keys lie in a range, at most `limit`, in the order of their bytes. `to` null: to the end of the prefix. */
export async function listNamed(
  db: Db,
  range: { prefix: string; after: string | null; to: string | null; limit: number },
): Promise<NamedObject[]> {
  // One bound, which the index ends at, and files found one by one: a page costs what it holds, however many there are.
  const end = range.to === null ? sql`o.key < ${pastPrefix(range.prefix)}` : sql`o.key <= ${range.to}`;
  const { rows } = await sql<NamedObject>`
    select o.key, o.file_id as "fileId", o.state, o.storage_class as "storageClass", f.state as "fileState", o.updated_at as "changedAt",
      is_held(o.file_id) as held
    from objects o cross join lateral (select state from files where id = o.file_id limit 1) f
    where o.key > ${range.after ?? range.prefix} and ${end}
    order by o.key limit ${range.limit}
  `.execute(db);
  return rows;
}

/** The least text that is greater than all that begin so. */
function pastPrefix(prefix: string): string {
  return `${prefix.slice(0, -1)}${String.fromCodePoint((prefix.codePointAt(prefix.length - 1) ?? 0) + 1)}`;
}
