import { sql } from 'kysely';
import type { Db } from './schema.ts';

export interface IdempotencyScope {
  readonly caller: string;
  readonly route: string;
  readonly key: string;
}
export interface IdempotencyRow {
  readonly holder: string;
  readonly fingerprint: string | null;
  readonly fileId: string | null;
  readonly finished: boolean;
}

/**
 * Claims a key for `holder` for `seconds`, or shows who has it. A claim that was not extended in time (its process
 * died) is taken over.
 */
export async function claimKey(
  db: Db,
  scope: IdempotencyScope,
  holder: string,
  seconds: number,
): Promise<IdempotencyRow> {
  await sql`
    insert into idempotency_keys (caller, route, key, holder, expires_at)
    values (${scope.caller}, ${scope.route}, ${scope.key}, ${holder}, now() + make_interval(secs => ${seconds}))
    on conflict (caller, route, key) do update
      set holder = excluded.holder, expires_at = excluded.expires_at, fingerprint = null, file_id = null,
          finished_at = null
      where idempotency_keys.expires_at < now()
  `.execute(db);
  return (await findKey(db, scope)) ?? claimKey(db, scope, holder, seconds);
}

/** Who has the key; null when it is free. */
export async function findKey(db: Db, scope: IdempotencyScope): Promise<IdempotencyRow | null> {
  const row = await db
    .selectFrom('idempotency_keys')
    .select(['holder', 'fingerprint', 'file_id as fileId', 'finished_at'])
    .where('caller', '=', scope.caller)
    .where('route', '=', scope.route)
    .where('key', '=', scope.key)
    .executeTakeFirst();
  if (row === undefined) return null;
  return {
    holder: row.holder,
    fingerprint: row.fingerprint,
    fileId: row.fileId,
    finished: row.finished_at !== null,
  };
}

export async function extendKey(
  db: Db,
  scope: IdempotencyScope,
  holder: string,
  seconds: number,
): Promise<void> {
  await update(db, scope, holder)
    .set({ expires_at: sql<Date>`now() + make_interval(secs => ${seconds})` })
    .execute();
}

/** Notes the file that was reserved for the request: who asks meanwhile can be told of it. */
export async function noteKeyFile(
  db: Db,
  scope: IdempotencyScope,
  holder: string,
  fileId: string,
): Promise<void> {
  await update(db, scope, holder).set({ file_id: fileId }).execute();
}

/** The request is done: the key answers with that file for `seconds` from now. */
export async function finishKey(
  db: Db,
  scope: IdempotencyScope,
  holder: string,
  answer: { fileId: string; fingerprint: string; seconds: number },
): Promise<void> {
  await update(db, scope, holder)
    .set({
      file_id: answer.fileId,
      fingerprint: answer.fingerprint,
      finished_at: sql<Date>`now()`,
      expires_at: sql<Date>`now() + make_interval(secs => ${answer.seconds})`,
    })
    .execute();
}

/** The request came to nothing: the key is free again. */
export async function releaseKey(db: Db, scope: IdempotencyScope, holder: string): Promise<void> {
  await db
    .deleteFrom('idempotency_keys')
    .where('caller', '=', scope.caller)
    .where('route', '=', scope.route)
    .where('key', '=', scope.key)
    .where('holder', '=', holder)
    .where('finished_at', 'is', null)
    .execute();
}

export async function dropExpiredKeys(db: Db, now: Date): Promise<void> {
  await db.deleteFrom('idempotency_keys').where('expires_at', '<', now).execute();
}

function update(db: Db, scope: IdempotencyScope, holder: string) {
  return db
    .updateTable('idempotency_keys')
    .where('caller', '=', scope.caller)
    .where('route', '=', scope.route)
    .where('key', '=', scope.key)
    .where('holder', '=', holder);
}
