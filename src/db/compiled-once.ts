import type { CompiledQuery } from 'kysely';
import type { Db } from './schema.ts';

/**
 * A query that is asked so often that making its text shows: built by kysely at its first use, from then on only its
 * parameters change. `build` gives any value where a parameter comes; at its call they are given in the order of the text.
 */
export function compiledOnce<Row>(
  build: (db: Db) => { compile(): CompiledQuery<Row> },
): (db: Db, ...parameters: readonly unknown[]) => Promise<Row[]> {
  let compiled: CompiledQuery<Row> | null = null;
  return async (db, ...parameters) => {
    compiled ??= build(db).compile();
    if (compiled.parameters.length !== parameters.length)
      throw new Error(`Expected ${compiled.parameters.length} parameters but received ${parameters.length}`);
    const query: CompiledQuery<Row> = { ...compiled, parameters };
    return (await db.executeQuery(query)).rows;
  };
}
