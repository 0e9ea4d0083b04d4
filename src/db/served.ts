import { sql } from 'kysely';
import { PUBLIC_STATES } from '../domain/file-state.ts';
import { parsePublicKey } from '../domain/keys.ts';
import { anyOf } from './any-of.ts';
import type { Db } from './schema.ts';

/**
 * Whether the rows let an object be read at its address. One that lies there may be given up: its bytes are wrong, and the
 * store cannot hide them. An original has to be one of a public photo besides, since evidence lies at its public key until it is
 * moved. A key that no row names may be read: what lies under a public prefix is public.
 */
export async function mayServe(db: Db, key: string): Promise<boolean> {
  const isOriginal = parsePublicKey(key)?.variant === 'original';
  const { rows } = await sql<{ is: boolean }>`
    select not exists (
        select from object_checks c join objects o using (key) join files f on f.id = o.file_id
        where c.key = ${key} and c.damaged_at is not null and f.warnings ? 'DAMAGED')
      and (not ${isOriginal}::boolean or exists (
        select from variants v join files f on f.id = v.file_id
        where v.key = ${key} and f.state = ${anyOf([...PUBLIC_STATES])})) as "is"
  `.execute(db);
  return rows[0]?.is === true;
}
