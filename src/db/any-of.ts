import { type RawBuilder, sql } from 'kysely';

/**
 * For `where(column, '=', anyOf(values))`: what `in` does, with one parameter however many values there are, so that lists
 * of all lengths are one statement and are kept prepared (`prepared-statements.ts`).
 */
export function anyOf<T>(values: readonly T[]): RawBuilder<T> {
  return sql<T>`any(${sql.val([...values])})`;
}
