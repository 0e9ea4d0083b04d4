import { sql } from 'kysely';
import type { Db } from '../schema.ts';

/** Owns the audit ledger and cannot log in: nobody works as this role. */
export const AUDIT_OWNER = 'localex_audit';

/**
 * Gives the ledger to a role of its own, and to the service what it needs: to write entries and seals, to read them, and
 * the three functions that make and drop months. To be run by a superuser (or on a managed database by its
 * administrator) after each migration; again is a success.
 */
export function ownerStatements(service: string): readonly string[] {
  const role = `"${service.replaceAll('"', '""')}"`;
  return [
    `do $$ begin
  if not exists (select from pg_roles where rolname = '${AUDIT_OWNER}') then create role ${AUDIT_OWNER} nologin; end if;
exception when duplicate_object or unique_violation then null;
end $$`,
    `alter schema audit owner to ${AUDIT_OWNER}`,
    `do $$ declare
  part record;
begin
  for part in select c.oid::regclass as name, c.relkind as kind from pg_class c
    where c.relnamespace = 'audit'::regnamespace and c.relkind in ('r', 'p', 'S') and pg_get_userbyid(c.relowner) <> '${AUDIT_OWNER}' loop
    execute format('alter %s %s owner to ${AUDIT_OWNER}', case part.kind when 'S' then 'sequence' else 'table' end, part.name);
  end loop;
  for part in select p.oid::regprocedure as name from pg_proc p where p.pronamespace = 'audit'::regnamespace loop
    execute format('alter function %s owner to ${AUDIT_OWNER}', part.name);
  end loop;
end $$`,
    `revoke all on all tables in schema audit from ${role}, public`,
    `revoke execute on all functions in schema audit from public`,
    `grant usage on schema audit to ${role}`,
    `grant select, insert on audit.entries, audit.seals, audit.anchors to ${role}`,
    `grant select, insert, delete on audit.unsealed to ${role}`,
    `grant usage on sequence audit.entry_ids to ${role}`,
    `grant execute on function audit.prepare_months(integer), audit.drop_month(date), audit.trim_seals(integer) to ${role}`,
  ];
}

/** Why the connected role could alter the ledger after all; null when it cannot. */
export async function ledgerWeakness(db: Db): Promise<string | null> {
  const { rows } = await sql<{ super: boolean; creates: boolean; owner: string; owns: boolean }>`
    select r.rolsuper as super, r.rolcreaterole as creates, pg_get_userbyid(n.nspowner) as owner,
      pg_has_role(current_user, n.nspowner, 'member') as owns
    from pg_namespace n, pg_roles r where n.nspname = 'audit' and r.rolname = current_user
  `.execute(db);
  const [found] = rows;
  if (found === undefined) return null;
  if (found.super) return 'the service connects as a superuser';
  if (found.owns) return `the service's role owns the ledger, or is a member of ${found.owner}`;
  if (found.creates) return "the service's role may create roles, and so make itself a member of the owner";
  return null;
}
