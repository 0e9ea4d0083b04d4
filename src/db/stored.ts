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

/** Rows whose keys lie in a range, in the order of their bytes. `to` null: to the end of the prefix. */
export async function listNamed(
  db: Db,
  range: { prefix: string; after: string | null; to: string | null },
): Promise<NamedObject[]> {
  const { rows } = await sql<NamedObject>`
    select o.key, o.file_id as "fileId", o.state, o.storage_class as "storageClass", f.state as "fileState", o.updated_at as "changedAt",
      is_held(o.file_id) as held
    from objects o join files f on f.id = o.file_id
    where o.key > ${range.after ?? range.prefix} and o.key < ${pastPrefix(range.prefix)}
      and (${range.to}::text is null or o.key <= ${range.to}::text)
    order by o.key
  `.execute(db);
  return rows;
}

/** The least text that is greater than all that begin so. */
function pastPrefix(prefix: string): string {
  return `${prefix.slice(0, -1)}${String.fromCodePoint((prefix.codePointAt(prefix.length - 1) ?? 0) + 1)}`;
}
