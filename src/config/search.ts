import { httpAddress } from './address.ts';
import { integer, type Read, text } from './setting.ts';

/** Where photos are looked for. */
export interface SearchConfig {
  readonly driver: 'postgres' | 'opensearch';
  readonly opensearchUrl: string | null;
  /** What the names of our indexes begin with. */
  readonly prefix: string;
  /** Primary shards of an index that is made. */
  readonly shards: number;
}

export const SEARCH = {
  opensearchUrl: httpAddress('OPENSEARCH_URL', {
    description: 'OpenSearch for the search of photos; the database when not set.',
  }),
  prefix: text('OPENSEARCH_PREFIX', {
    description: 'What the names of the indexes in OpenSearch begin with.',
    default: 'localex',
    expected: '1 to 40 small letters, digits and "-", the first a letter',
    accepts: (value) => /^[a-z][a-z0-9-]{0,39}$/.test(value),
  }),
  shards: integer('OPENSEARCH_SHARDS', {
    description:
      'Primary shards of an index in OpenSearch, for the next one that is made: about one for each 20 million photos.',
    default: 1,
    min: 1,
    max: 100,
  }),
};

export function readSearch(read: Read): SearchConfig {
  const opensearchUrl = read(SEARCH.opensearchUrl);
  return {
    driver: opensearchUrl === null ? 'postgres' : 'opensearch',
    opensearchUrl,
    prefix: read(SEARCH.prefix),
    shards: read(SEARCH.shards),
  };
}
