import { sql } from 'kysely';
import type { CacheRule } from '../domain/cache-policy.ts';
import { jsonText } from './json.ts';
import type { Database } from './schema.ts';

/** What `saveCacheRule` tells on. */
export const CACHE_RULES_CHANNEL = 'localex_cache_rules';

/** Keeps a rule and tells every process. */
export async function saveCacheRule(db: Database, rule: CacheRule): Promise<void> {
  await db.transaction().execute(async (trx) => {
    const policy = jsonText(rule.policy);
    await trx
      .insertInto('cdn_cache_rules')
      .values({ pattern: rule.pattern, policy })
      .onConflict((conflict) =>
        conflict.column('pattern').doUpdateSet({ policy, updated_at: sql<Date>`now()` }),
      )
      .execute();
    await sql`select pg_notify(${CACHE_RULES_CHANNEL}, '')`.execute(trx);
  });
}

export async function listCacheRules(db: Database): Promise<CacheRule[]> {
  return db.selectFrom('cdn_cache_rules').select(['pattern', 'policy']).orderBy('pattern').execute();
}
