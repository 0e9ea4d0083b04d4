import type { PhotoQuery } from '#src/ports/search.ts';

/** The request of a search, in OpenSearch's query language. */
export function searchBody({ scope, words, isLoose, filters, after, limit }: PhotoQuery) {
  const { minWidth, minHeight, minQuality, color, ...equal } = filters;
  const terms = Object.entries({ ...equal, colors: color }).filter(([, value]) => value !== undefined);
  const ranges = Object.entries({ width: minWidth, height: minHeight, quality: minQuality }).filter(
    ([, value]) => value !== undefined,
  );
  const filter = [
    scopeFilter(scope),
    ...terms.map(([field, value]) => ({ term: { [field]: value } })),
    ...ranges.map(([field, value]) => ({ range: { [field]: { gte: value } } })),
  ];
  return {
    _source: false,
    track_total_hits: false,
    size: limit,
    query: { bool: { filter, ...(words !== null && wordsOf(words, isLoose)) } },
    sort: words === null ? [{ id: 'desc' }] : [{ _score: 'desc' }, { id: 'desc' }],
    ...(after !== null && { search_after: words === null ? [after.id] : [after.score, after.id] }),
  };
}

/** Tombstones are in nobody's scope. */
function scopeFilter({ all, ownerId }: PhotoQuery['scope']) {
  if (all) return { term: { deleted: false } };
  const isPublic = { term: { isPublic: true } };
  return ownerId === null ? isPublic : { bool: { should: [isPublic, { term: { ownerId } }] } };
}

function wordsOf(query: string, isLoose: boolean) {
  const must = isLoose
    ? { match: { words: { query, operator: 'and', fuzziness: 'AUTO' } } }
    : { match_bool_prefix: { words: { query, operator: 'and' } } };
  const boosts = { title: 4, alt: 2, labels: 1 };
  const should = Object.entries(boosts).map(([field, boost]) => ({
    match: { [field]: { query, boost, ...(isLoose && { fuzziness: 'AUTO' }) } },
  }));
  return { must, should };
}
