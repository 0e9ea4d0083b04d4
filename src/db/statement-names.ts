import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';

/** Texts that are counted. What is asked for so seldom that it falls out is not worth preparing. */
const COUNTED = 1000;
/** Uses after which a text gets its name: lists of many lengths and what is asked once a start get none. */
const USES = 3;

/** Longer texts are made of lists, whose length is another the next time. Characters. */
const LONGEST = 8000;
const PREPARABLE = /^\s*(?:select|insert|update|delete|with)\b/i;
/**
 * `select *`, `returning *`, `files.*`: the columns that it has when it is prepared. After a migration that adds one, the
 * server refuses the statement ("cached plan must not change result type"), and fails the transaction around it.
 */
const NAMES_NO_COLUMNS = /(?:\b(?:select|returning|distinct)|,)\s+\*|\.\*/i;

/** Names of the statements that are worth keeping prepared: the same text has the same name, on every connection. */
export interface StatementNames {
  /** Null: to be planned by itself. */
  of(text: string, parameters: number): string | null;
}

interface Known {
  uses: number;
  readonly name: string | null;
}

export function createStatementNames(): StatementNames {
  const known = new LRUCache<string, Known>({ max: COUNTED });
  return {
    of(text, parameters) {
      if (parameters === 0) return null;
      const found = known.get(text);
      if (found === undefined) {
        known.set(text, { uses: 1, name: isPreparable(text) ? nameOf(text) : null });
        return null;
      }
      found.uses += 1;
      return found.uses < USES ? null : found.name;
    },
  };
}

/** Whether a statement of this text can be kept prepared over a migration that adds columns. */
export function isPreparable(text: string): boolean {
  return text.length <= LONGEST && PREPARABLE.test(text) && !NAMES_NO_COLUMNS.test(text);
}

/** 96 bits of its hash: `pg` refuses a name that was used for another text. */
function nameOf(text: string): string {
  return `lx_${createHash('sha256').update(text).digest('hex').slice(0, 24)}`;
}
