import { jsonText } from './json.ts';
import type { Db } from './schema.ts';

/** What outputs are encoded with: settings, edges and the versions of the codecs. */
export interface Recipe {
  readonly encoder: Readonly<Record<string, string | number | boolean>>;
  readonly versions: Readonly<Record<string, string>>;
}

/** Keeps a recipe under its id. The same one again is a success. */
export async function noteRecipe(db: Db, id: string, recipe: Recipe): Promise<void> {
  await db
    .insertInto('recipes')
    .values({ id, recipe: jsonText(recipe) })
    .onConflict((conflict) => conflict.column('id').doNothing())
    .execute();
}

export async function listRecipes(
  db: Db,
  ids: readonly string[],
): Promise<{ readonly id: string; readonly recipe: Recipe }[]> {
  if (ids.length === 0) return [];
  return db
    .selectFrom('recipes')
    .select(['id', 'recipe'])
    .where('id', 'in', [...ids])
    .orderBy('id')
    .execute();
}
