import { sql } from 'kysely';
import type { Judged } from '../domain/moderation-replay.ts';
import type { KeptAnalysis } from '../ports/image-engine.ts';
import type { ModerationResult } from '../ports/moderator.ts';
import { updateFile } from './files.ts';
import { jsonText } from './json.ts';
import type { Db, FileRow } from './schema.ts';

/** A photo that was judged by machine, with all that judging it again depends on. */
export type JudgedFile = FileRow & Omit<Judged, 'state'> & { readonly category: string | null };

const judged = sql`state in ('published', 'ready', 'in_review', 'rejected') and moderation is not null`;

export async function countJudged(db: Db): Promise<number> {
  const result = await sql<{ count: number }>`select count(*) from files where ${judged}`.execute(db);
  return result.rows[0]?.count ?? 0;
}

/** By id; `after` is the last one that is known. */
export async function listJudged(db: Db, after: string | null, limit: number): Promise<JudgedFile[]> {
  const beyond = after === null ? sql`` : sql`and id > ${after}`;
  const result = await sql<JudgedFile>`
    select f.*, i.category,
      coalesce(d.approved, false) as "wasApproved",
      coalesce(d.refused, false) as "wasRefused",
      exists (select from appeals a where a.file_id = f.id) as "wasAppealed",
      c.id is not null as "hasOpenCase",
      coalesce(c.source = 'moderation', false) and f.reason_code = 'CONTENT_REJECTED'
        and not exists (select from findings n where n.file_id = f.id and n.source <> 'moderation')
        as "waitsForModerationOnly"
    from (select * from files where ${judged} ${beyond} order by id limit ${limit}) f
      left join items i on i.id = f.item_id
      left join review_cases c on c.file_id = f.id and c.closed_at is null
      left join lateral (
        select bool_or(decision = 'approve') as approved, bool_or(decision <> 'approve') as refused
        from review_decisions where file_id = f.id) d on true
    order by f.id
  `.execute(db);
  return result.rows;
}

/** The present verdict becomes history. False when the file has moved on. */
export async function replaceModeration(
  db: Db,
  file: FileRow,
  next: {
    readonly result: ModerationResult;
    readonly analysis: KeptAnalysis | null;
    readonly at: Date;
    /** The replay that did it; null when it was none. */
    readonly runId: string | null;
  },
): Promise<boolean> {
  const changed = await updateFile(
    db,
    { id: file.id, from: file.state, generation: file.generation },
    {
      moderation: jsonText({ ...next.result, at: next.at.toISOString() }),
      ...(next.analysis !== null && { analysis: jsonText(next.analysis) }),
    },
  );
  if (changed === null) return false;
  if (file.moderation !== null)
    await db
      .insertInto('moderation_history')
      .values({ file_id: file.id, moderation: jsonText(file.moderation), run_id: next.runId })
      .execute();
  return true;
}

/** Photos whose verdicts tell which models look at photos now. */
const LATEST = 20;

/** The versions of models that looked at the latest photos, by model: of one outside nobody else tells. */
export async function latestVersions(db: Db): Promise<ReadonlyMap<string, string>> {
  const rows = await db
    .selectFrom('files')
    .select('moderation')
    .where('moderation', 'is not', null)
    .orderBy('id', 'desc')
    .limit(LATEST)
    .execute();
  const latest = new Map<string, { readonly version: string; readonly at: string }>();
  for (const { moderation } of rows)
    for (const [model, version] of Object.entries(moderation?.versions ?? {})) {
      const at = moderation?.at ?? '';
      // A photo that is too small to be sent was seen by no version.
      if (version !== 'none' && at > (latest.get(model)?.at ?? '')) latest.set(model, { version, at });
    }
  return new Map([...latest].map(([model, { version }]) => [model, version]));
}
