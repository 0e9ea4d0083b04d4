import { z } from 'zod';
import { isStorageError, StorageError } from '#src/domain/errors.ts';
import type { PhotoIndex } from '#src/ports/search.ts';
import { bulkLines, bulkOutcome } from './opensearch/bulk.ts';
import { searchBody } from './opensearch/query.ts';
import { createRequests } from './opensearch/requests.ts';
import { indexBody, mappingProblem, SHAPE, StoredDocument } from './opensearch/shape.ts';

export interface OpensearchOptions {
  readonly url: string;
  /** What the names of our indexes begin with. */
  readonly prefix: string;
  /** Primary shards of an index. A few tens of gigabytes each; a million photos are one. */
  readonly shards: number;
}

const Hits = z.object({
  hits: z.object({
    hits: z.array(
      z.object({ _id: z.string(), _score: z.number().nullish(), _source: z.unknown().optional() }),
    ),
  }),
});
const Described = z.record(
  z.string(),
  z.object({ aliases: z.record(z.string(), z.unknown()), mappings: z.unknown() }),
);
const Aliases = z.record(z.string(), z.object({ aliases: z.record(z.string(), z.unknown()) }));
const Docs = z.object({
  docs: z.array(z.object({ found: z.boolean().optional(), _source: z.unknown().optional() })),
});
const Count = z.object({ count: z.number() });
const Highest = z.object({
  aggregations: z.object({ highest: z.object({ value: z.number().nullable() }) }).optional(),
});

const LIVE = { term: { deleted: false } };

/**
 * The search index in OpenSearch: explicit mappings, an alias in front of the current index, versions of our own. Each index
 * has a second alias that is written to: a write to an index that was just removed would otherwise make one of that name
 * anew, with whatever mapping fits.
 */
export function createOpensearchPhotoIndex({ url, prefix, shards }: OpensearchOptions): PhotoIndex {
  const { ask, close } = createRequests(url);
  const alias = `${prefix}-photos-${SHAPE}`;
  const isIndexName = (name: string) =>
    name.startsWith(`${alias}-`) && /^[a-z0-9]{1,32}$/.test(name.slice(alias.length + 1));
  const named = (index: string) => {
    if (!isIndexName(index)) throw new StorageError('NOT_FOUND', 'There is no such search index.');
    return index;
  };
  const writeAlias = (index: string) => `${named(index)}.write`;
  const foreign = (index: string, problem: string) =>
    new StorageError(
      'INVALID_CONFIGURATION',
      `The index ${index} at OPENSEARCH_URL cannot be used: ${problem}. Give OPENSEARCH_PREFIX another value, or remove that index: it is made anew from the database.`,
    );

  /** The index behind the alias; null when there is none. */
  const current = async (): Promise<string | null> => {
    try {
      const described = Described.parse(await ask({ method: 'GET', path: `/${alias}`, isQuick: true }));
      const [[index, { mappings }] = [alias, { mappings: null }], another] = Object.entries(described);
      if (another !== undefined) throw foreign(alias, 'several indexes have it as their alias');
      const problem = isIndexName(index) ? mappingProblem(mappings) : 'it was not made by this service';
      if (problem !== null) throw foreign(index, problem);
      return index;
    } catch (error) {
      if (isStorageError(error, 'NOT_FOUND')) return null;
      throw error;
    }
  };
  const makeIndex = async (suffix: string, more: Readonly<Record<string, object>> = {}): Promise<string> => {
    const index = `${alias}-${suffix}`;
    const aliases = { [writeAlias(index)]: {}, ...more };
    await ask({ method: 'PUT', path: `/${index}`, body: { ...indexBody(shards), aliases } });
    return index;
  };
  const read = async (index: string, body: object) => {
    const answer = await ask({ method: 'POST', path: `/${named(index)}/_search`, body });
    return Hits.parse(answer).hits.hits.map(({ _source }) => StoredDocument.parse(_source));
  };

  return {
    name: 'opensearch',

    async prepare() {
      if ((await current()) !== null) return 'found';
      try {
        await makeIndex('first', { [alias]: {} });
        return 'made';
      } catch (error) {
        if (!isStorageError(error, 'CONFLICT')) throw error;
      }
      // Another process was first, or somebody took the alias away from it.
      if ((await current()) === null) throw foreign(`${alias}-first`, `it has no alias ${alias}`);
      return 'found';
    },

    async search(query, signal) {
      const body = searchBody(query);
      const answer = await ask({ method: 'POST', path: `/${alias}/_search`, body, isQuick: true, signal });
      return Hits.parse(answer).hits.hits.map(({ _id, _score }) => ({
        id: _id,
        score: query.words === null ? null : (_score ?? 0),
      }));
    },

    async indexes() {
      const answer = await ask({ method: 'GET', path: `/${alias}-*/_alias`, isQuick: true });
      const found = Object.entries(Aliases.parse(answer)).filter(([name]) => isIndexName(name));
      const isCurrent = (aliases: object) => Number(Object.hasOwn(aliases, alias));
      return found
        .toSorted((a, b) => isCurrent(b[1].aliases) - isCurrent(a[1].aliases) || (a[0] < b[0] ? -1 : 1))
        .map(([name]) => name);
    },

    create: (suffix) => makeIndex(suffix),

    async makeCurrent(index) {
      const others = (await this.indexes()).filter((name) => name !== index);
      const actions = [
        { add: { index: named(index), alias } },
        ...others.map((name) => ({ remove: { index: name, alias, must_exist: false } })),
      ];
      await ask({ method: 'POST', path: '/_aliases', body: { actions } });
    },

    async remove(index) {
      if ((await current()) === named(index))
        throw new StorageError('CONFLICT', 'The current search index is not removed.');
      await ask({ method: 'DELETE', path: `/${index}`, query: { ignore_unavailable: 'true' } });
    },

    async write(index, entries) {
      if (entries.length === 0) return { outdated: 0, refused: [] };
      const lines = bulkLines(writeAlias(index), entries);
      return bulkOutcome(
        await ask({ method: 'POST', path: '/_bulk', query: { require_alias: 'true' }, lines }),
      );
    },

    async refresh(index) {
      await ask({ method: 'POST', path: `/${named(index)}/_refresh` });
    },

    list: (index, { after, limit }) =>
      read(index, {
        size: limit,
        query: { bool: { filter: [LIVE] } },
        sort: [{ id: 'asc' }],
        track_total_hits: false,
        ...(after !== null && { search_after: [after] }),
      }),

    async get(index, ids) {
      const answer = await ask({ method: 'POST', path: `/${named(index)}/_mget`, body: { ids } });
      return Docs.parse(answer).docs.flatMap(({ _source }) => {
        const { success, data } = StoredDocument.safeParse(_source);
        return success ? [data] : [];
      });
    },

    async count(index) {
      const body = { query: LIVE };
      return Count.parse(await ask({ method: 'POST', path: `/${named(index)}/_count`, body })).count;
    },

    async highestVersion() {
      const body = { size: 0, aggs: { highest: { max: { field: 'version' } } } };
      const answer = Highest.parse(await ask({ method: 'POST', path: `/${alias}-*/_search`, body }));
      return answer.aggregations?.highest.value ?? 0;
    },

    async ping(signal) {
      const body = { size: 0, track_total_hits: false };
      await ask({ method: 'POST', path: `/${alias}/_search`, body, isQuick: true, signal });
    },

    close,
  };
}
