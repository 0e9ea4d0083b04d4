import { type Kysely, sql } from 'kysely';

/**
 * The review queue: what was seen in photos (`findings`), each photo's place in the queue (`review_cases`, one open case a
 * file) with the claim of the moderator who has it, and what buyers reported (`photo_reports`). The database itself opens
 * a case with the change that sends a file to review and closes it with the change that ends it, whoever makes the change.
 * Decisions and appeals name their case. Safe on a full table: files that wait get their case here.
 */
export async function up<Schema>(db: Kysely<Schema>): Promise<void> {
  for (const statement of [...TABLES, ...COLUMNS, ...TRIGGERS, ...EXISTING])
    await sql.raw(statement).execute(db);
}

const TABLES = [
  `create table findings (
     id bigint generated always as identity primary key,
     file_id uuid not null references files (id),
     source text not null check (source in ('moderation', 'unchecked', 'contact', 'fingerprint', 'report')),
     label text not null check (length(label) between 1 and 200),
     confidence double precision check (confidence between 0 and 1),
     region jsonb,
     model text,
     version text,
     details jsonb not null default '{}',
     found_at timestamptz not null default clock_timestamp()
   )`,
  `create index findings_by_file on findings (file_id, id)`,
  // Work that runs twice finds the same thing twice.
  `create unique index findings_once on findings (
     file_id, source, label, coalesce(model, ''), coalesce(version, ''), md5(coalesce(region::text, '') || details::text))`,

  `create table review_cases (
     id bigint generated always as identity primary key,
     file_id uuid not null references files (id),
     source text not null check (source in
       ('moderation', 'unchecked', 'contact', 'fingerprint', 'report', 'appeal', 'second_look')),
     priority smallint not null check (priority between 0 and 9),
     opened_at timestamptz not null default date_trunc('milliseconds', clock_timestamp()),
     not_by text[] not null default '{}',
     claimed_by text,
     claimed_until timestamptz,
     closed_at timestamptz,
     outcome text check (outcome in ('approve', 'reject', 'takedown', 'withdrawn')),
     check ((closed_at is null) = (outcome is null)),
     check ((claimed_by is null) = (claimed_until is null))
   )`,
  `create unique index review_cases_open on review_cases (file_id) where closed_at is null`,
  // In the order of the queue, so that a page is a range of it: the most urgent first, then the longest waiting.
  `create index review_cases_queue on review_cases ((-priority), opened_at, id) where closed_at is null`,
  `create index review_cases_claimed on review_cases (claimed_by) where closed_at is null and claimed_by is not null`,
  `create index review_cases_by_file on review_cases (file_id, id)`,

  `create table photo_reports (
     id bigint generated always as identity primary key,
     file_id uuid not null references files (id),
     user_id text not null,
     reason_code text not null,
     message text check (length(message) <= 1000),
     case_id bigint references review_cases (id),
     created_at timestamptz not null default clock_timestamp(),
     unique (file_id, user_id)
   )`,
  `create index photo_reports_by_user on photo_reports (user_id, created_at)`,
  `create index photo_reports_by_case on photo_reports (case_id)`,
];

const COLUMNS = [
  `alter table review_decisions
     add column reason_code text,
     add column case_id bigint references review_cases (id)`,
  `create index review_decisions_by_time on review_decisions (decided_at)`,
  `create index review_decisions_by_moderator on review_decisions (moderator_id, id)`,
  `alter table appeals
     add column outcome text check (outcome in ('upheld', 'refused', 'withdrawn')),
     add column decided_at timestamptz,
     add check ((outcome is null) = (decided_at is null))`,
  // The code of the list of reasons that a person chose; `reason_code` stays that of the closed list of errors.
  `alter table files add column content_reason text`,
];

const TRIGGERS = [
  // What is asked for again is not for those who have decided against the seller. A photo that models would publish waits
  // for what its fingerprint has found: findings are kept before the state changes. One that comes back by a second look
  // keeps its case as it is.
  `create function keep_review_case() returns trigger language plpgsql as $$
   declare
     is_appeal constant boolean := old.state in ('rejected', 'taken_down')
       and exists (select from appeals where file_id = new.id and outcome is null);
   begin
     if new.state = 'in_review' then
       insert into review_cases (file_id, source, priority, not_by)
         values (
           new.id,
           case when is_appeal then 'appeal'
                when new.moderation is null or new.reason_code like '%_UNAVAILABLE' then 'unchecked'
                when new.moderation->>'verdict' = 'publish'
                  and exists (select from findings where file_id = new.id and source = 'fingerprint') then 'fingerprint'
                else 'moderation' end,
           case when is_appeal then 6 else 0 end,
           case when is_appeal
                then array(select distinct moderator_id from review_decisions where file_id = new.id and decision <> 'approve')
                else '{}' end)
         on conflict (file_id) where closed_at is null do update set
           source = case when excluded.priority > review_cases.priority then excluded.source else review_cases.source end,
           priority = greatest(review_cases.priority, excluded.priority),
           not_by = review_cases.not_by || excluded.not_by;
     elsif old.state = 'in_review' or new.state in ('rejected', 'taken_down', 'failed', 'deleting') then
       update review_cases set
         closed_at = clock_timestamp(),
         outcome = case new.state when 'published' then 'approve' when 'rejected' then 'reject'
                                  when 'taken_down' then 'takedown' else 'withdrawn' end
         where file_id = new.id and closed_at is null;
       update appeals set
         decided_at = clock_timestamp(),
         outcome = case new.state when 'published' then 'upheld' when 'deleting' then 'withdrawn' else 'refused' end
         where file_id = new.id and outcome is null;
     end if;
     return null;
   end $$`,
  `create trigger files_review after update of state on files for each row
     when (new.state <> old.state) execute function keep_review_case()`,
];

const EXISTING = [
  `insert into review_cases (file_id, source, priority, opened_at, not_by)
     select f.id,
       case when a.id is not null then 'appeal'
            when f.moderation is null or f.reason_code like '%_UNAVAILABLE' then 'unchecked' else 'moderation' end,
       case when a.id is not null then 6 else 0 end,
       coalesce(f.waiting_since, f.updated_at),
       case when a.id is not null
            then array(select distinct moderator_id from review_decisions where file_id = f.id and decision <> 'approve')
            else '{}' end
     from files f
       left join lateral (select id, created_at from appeals where file_id = f.id order by id desc limit 1) a on true
     where f.state = 'in_review'`,
  // What was decided before is known by the state that came of it.
  `update appeals a set decided_at = f.updated_at,
     outcome = case when f.state in ('published', 'ready') then 'upheld'
                    when f.state in ('deleting', 'deleted') then 'withdrawn' else 'refused' end
     from files f where f.id = a.file_id
       and (f.state <> 'in_review' or exists (select 1 from appeals later where later.file_id = a.file_id and later.id > a.id))`,
];
