import { sql } from 'kysely';
import type { Db } from './schema.ts';

/** Takes or extends a lease; false while somebody else holds it. A schedule runs in one process at a time. */
export async function takeLease(db: Db, name: string, holder: string, seconds: number): Promise<boolean> {
  const result = await sql<{ holder: string }>`
    insert into leases (name, holder, expires_at)
    values (${name}, ${holder}, now() + make_interval(secs => ${seconds}))
    on conflict (name) do update set holder = excluded.holder, expires_at = excluded.expires_at
      where leases.holder = excluded.holder or leases.expires_at < now()
    returning holder
  `.execute(db);
  return result.rows.length > 0;
}
