import type { GeneratedAlways } from 'kysely';
import type { BigInt8, CreatedAt } from './column-types.ts';

/** Photos whose document in the search index is to be written anew; a photo may be here several times. */
export interface SearchOutboxTable {
  id: GeneratedAlways<BigInt8>;
  file_id: string;
  available_at: CreatedAt;
  /** What the search engine said when it refused the document. */
  refusal: string | null;
}

export interface SearchTables {
  search_outbox: SearchOutboxTable;
}
