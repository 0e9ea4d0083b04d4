import { type Selectable, sql } from 'kysely';
import type { ProbeAnswer } from '../domain/probe.ts';
import { jsonText } from './json.ts';
import type { CdnProbesTable } from './cdn-tables.ts';
import type { Db } from './schema.ts';

export type ProbeRow = Selectable<CdnProbesTable>;

/** Withdrawn paths are to be asked for once the purge of that ticket is done. */
export async function addProbe(
  db: Db,
  probe: { readonly fileId: string; readonly ticket: string; readonly paths: readonly string[] },
): Promise<void> {
  await db
    .insertInto('cdn_probes')
    .values({ file_id: probe.fileId, ticket: probe.ticket, paths: jsonText([...probe.paths]) })
    .execute();
}

/** Takes probes that are due; those that are not settled within `leaseSeconds` come again. Oldest first. */
export async function claimProbes(db: Db, limit: number, leaseSeconds: number): Promise<ProbeRow[]> {
  const { rows } = await sql<ProbeRow>`
    update cdn_probes set due_at = now() + make_interval(secs => ${leaseSeconds})
    where id in (
      select id from cdn_probes where state = 'waiting' and due_at <= now()
      order by due_at, id limit ${limit} for update skip locked
    )
    returning *
  `.execute(db);
  return rows.toSorted((a, b) => a.id - b.id);
}

/** Keeps what was answered, and whether it is asked again, after `delaySeconds`. */
export async function keepProbe(
  db: Db,
  id: number,
  outcome: { readonly state: ProbeRow['state']; readonly answers: readonly ProbeAnswer[] },
  delaySeconds: number,
): Promise<void> {
  await db
    .updateTable('cdn_probes')
    .set({
      state: outcome.state,
      answers: jsonText([...outcome.answers]),
      attempts: sql<number>`attempts + 1`,
      probed_at: sql<Date>`now()`,
      due_at: sql<Date>`now() + make_interval(secs => ${delaySeconds})`,
    })
    .where('id', '=', id)
    .execute();
}

/** The purge before it is not done yet. */
export async function postponeProbe(db: Db, id: number, delaySeconds: number): Promise<void> {
  await db
    .updateTable('cdn_probes')
    .set({ due_at: sql<Date>`now() + make_interval(secs => ${delaySeconds})` })
    .where('id', '=', id)
    .execute();
}

/** What shows that a file's public URLs are gone, newest first. */
export async function listProbes(db: Db, fileId: string): Promise<ProbeRow[]> {
  return db
    .selectFrom('cdn_probes')
    .selectAll()
    .where('file_id', '=', fileId)
    .orderBy('id', 'desc')
    .execute();
}
