import { type RawBuilder, sql } from 'kysely';
import { type Agreement, agreementWith } from '../domain/agreement.ts';
import { askedTokens, type Fingerprint } from '../domain/fingerprint.ts';
import type { FileState } from '../domain/file-state.ts';
import type { Db, FileRow } from './schema.ts';

/** A fingerprint in the index that has much in common with one that was asked for. */
export interface Lookalike extends Agreement {
  readonly id: number;
  readonly look: Buffer;
}

export interface BannedLookalike extends Lookalike {
  readonly bannedId: number;
}

export interface PhotoLookalike extends Lookalike {
  readonly fileId: string;
}

/** What may be the same picture, those with most in common first, at most 20 of each kind. */
export interface Lookalikes {
  /** Banned pictures, however many photos show the same. */
  readonly banned: readonly BannedLookalike[];
  /** Photos of other owners that somebody may see, now or soon. */
  readonly elsewhere: readonly PhotoLookalike[];
  /** Photos of the same owner in the same listing. */
  readonly listed: readonly PhotoLookalike[];
}

/** Which photos are looked at; bans are always. Null: none. */
export interface Among {
  readonly file: Pick<FileRow, 'id' | 'owner_id' | 'item_id'>;
  /** Only photos whose fingerprint has a smaller id, or those that were uploaded later. */
  readonly which: { readonly before: number } | 'later';
}

/** The slow comparison takes milliseconds each. */
const MOST_LOOKALIKES = 20;
/** Of each kind so many of those that share most tokens are compared in full: some share them by chance, each in another turn. */
const MOST_COMPARED = 100;
/** Fewer tokens in common are often chance, where there are many photos: of those so many are looked at, and all bans. */
const MORE_THAN_CHANCE = 5;
const MOST_BY_CHANCE = 200;
/** A photo that somebody may see, now or soon. */
const MATCHABLE: readonly FileState[] = ['checking', 'in_review', 'published', 'ready'];

interface Row {
  readonly kind: keyof Lookalikes;
  readonly id: number;
  readonly bannedId: number | null;
  readonly fileId: string | null;
  readonly tokens: number[];
  readonly hash: string;
  readonly look: Buffer;
}

/** Looks a picture up, on whichever side it lies: to be confirmed by `likenessOf`. One query. */
export async function findLookalikes(db: Db, print: Fingerprint, among: Among | null): Promise<Lookalikes> {
  const { rows } = await sql<Row>`
    with sharing as materialized (select * from prints_sharing(${askedTokens(print)}::integer[])),
    near as (
      select print_id, shared
      from (select *, row_number() over (order by shared desc, print_id) as place from sharing) as ranked
      where shared >= ${MORE_THAN_CHANCE} or place <= ${MOST_BY_CHANCE}
        or exists (select from fingerprints b where b.id = print_id and b.banned_id is not null)
    )
    select * from (
      select kind.kind, f.id, f.banned_id as "bannedId", f.file_id as "fileId", f.tokens, f.hash, f.look,
        row_number() over (partition by kind.kind order by near.shared desc, f.id) as place
      from near
        join fingerprints f on f.id = near.print_id
        left join files on files.id = f.file_id
        cross join lateral (select case when f.banned_id is not null then 'banned' else ${kindOf(among)} end as kind) as kind
      where kind.kind is not null) as ranked
    where place <= ${MOST_COMPARED}`.execute(db);
  return sorted(print, rows);
}

function kindOf(among: Among | null): RawBuilder<string | null> {
  if (among === null) return sql`null`;
  const { file, which } = among;
  const isOther = which === 'later' ? sql`files.id <= ${file.id}` : sql`f.id >= ${which.before}`;
  return sql`case
    when ${isOther} or files.state not in (${sql.join(MATCHABLE)}) then null
    when files.owner_id <> ${file.owner_id} then 'elsewhere'
    when files.item_id = ${file.item_id} and files.position is not null then 'listed' end`;
}

function sorted(print: Fingerprint, rows: readonly Row[]): Lookalikes {
  const compare = agreementWith(print);
  const [banned, elsewhere, listed]: [BannedLookalike[], PhotoLookalike[], PhotoLookalike[]] = [[], [], []];
  for (const { kind, id, bannedId, fileId, look, ...stored } of rows) {
    const agreement = compare(stored);
    if (agreement === null) continue;
    if (bannedId !== null) banned.push({ id, bannedId, look, ...agreement });
    else if (fileId !== null)
      (kind === 'listed' ? listed : elsewhere).push({ id, fileId, look, ...agreement });
  }
  return { banned: best(banned), elsewhere: best(elsewhere), listed: best(listed) };
}

function best<Kind extends Lookalike>(found: readonly Kind[]): Kind[] {
  return found
    .toSorted((a, b) => b.landmarks - a.landmarks || a.distance - b.distance || a.id - b.id)
    .slice(0, MOST_LOOKALIKES);
}
