import { type QueryExecutorProvider, sql } from 'kysely';
import { allowedEdits, edits } from '#src/domain/search-words.ts';
import { vocabularyOf } from './tables.ts';

/** Words of the vocabulary that are looked at, the likest first, and taken for one that was asked for. */
const LOOKED_AT = 50;
const TAKEN = 8;

/** All words, the last one begun at least. `words`: letters and digits, apart by blanks (`searchWords`). */
export function tsquery(words: string): string {
  return `${words.split(' ').join(' & ')}:*`;
}

/** The same, with words of the index that are a few letters off; null when a word has none. */
export async function looseTerms(
  db: QueryExecutorProvider,
  index: string,
  words: string,
): Promise<string | null> {
  const terms: string[] = [];
  for (const word of words.split(' ')) {
    const meant = await meantBy(db, index, word);
    if (meant.length === 0) return null;
    terms.push(`(${meant.join(' | ')})`);
  }
  return terms.join(' & ');
}

async function meantBy(db: QueryExecutorProvider, index: string, word: string): Promise<readonly string[]> {
  const allowed = allowedEdits(word);
  if (allowed === 0) return [word];
  const { rows } = await sql<{ word: string }>`
    select word from ${sql.table(vocabularyOf(index))} where word % ${word}
    order by similarity(word, ${word}) desc, word limit ${LOOKED_AT}`.execute(db);
  return rows
    .map((row) => ({ word: row.word, distance: edits(word, row.word) }))
    .filter(({ distance }) => distance <= allowed)
    .toSorted((a, b) => a.distance - b.distance)
    .slice(0, TAKEN)
    .map((near) => near.word);
}
