import { afterAll, describe, expect, test } from 'vitest';
import { madeDocument } from '#test/support/photo-documents.ts';
import { askNode, newPrefix, NO_OPENSEARCH, opensearchAt, removeIndexes } from '#test/support/opensearch.ts';
import { describePhotoIndex } from './search.contract.ts';

const prefix = newPrefix();

describePhotoIndex({ product: 'OpenSearch', missing: NO_OPENSEARCH, open: async () => opensearchAt(prefix) });

const title = NO_OPENSEARCH === undefined ? '' : ` (skipped: ${NO_OPENSEARCH})`;
describe.skipIf(NO_OPENSEARCH !== undefined)(`a real OpenSearch node${title}`, () => {
  const other = newPrefix();
  const index = opensearchAt(other);
  const alias = `${other}-photos-v1`;
  afterAll(async () => {
    await index.close();
    for (const made of [prefix, other]) await removeIndexes(made);
  });

  const refused = (problem: RegExp) => ({
    code: 'INVALID_CONFIGURATION',
    message: expect.stringMatching(
      new RegExp(`${problem.source}.*Give OPENSEARCH_PREFIX another value, or remove`),
    ),
  });

  test('an index of somebody else in our place is refused with what to do, and left as it is', async () => {
    await askNode('PUT', `/${alias}`, { mappings: { properties: { theirs: { type: 'text' } } } });
    await expect(index.prepare()).rejects.toMatchObject(refused(/it was not made by this service/));
    await askNode('DELETE', `/${alias}`);
    await askNode('PUT', `/${alias}-theirs`, { aliases: { [alias]: {} } });
    await expect(index.prepare()).rejects.toMatchObject(refused(/it was not made by this service/));
    await askNode('DELETE', `/${alias}-theirs`);
  });

  test('a mapping that was changed by hand is refused and named, and one that takes any field, too', async () => {
    expect(await index.prepare()).toBe('made');
    const [current = ''] = await index.indexes();
    await askNode('PUT', `/${current}/_mapping`, { properties: { price: { type: 'integer' } } });
    await expect(index.prepare()).rejects.toMatchObject(refused(/has fields of others: price/));
    await askNode('PUT', `/${current}/_mapping`, { dynamic: 'true' });
    await expect(index.prepare()).rejects.toMatchObject(refused(/takes fields of any name/));
    await removeIndexes(other);
  });

  test('a document with a field that the mapping does not have is refused by itself, with what the engine says', async () => {
    await index.prepare();
    const [current = ''] = await index.indexes();
    const good = madeDocument();
    const bad = { ...madeDocument(), price: 3 };
    const entries = [bad, good].map((document) => ({ id: document.id, version: 1, document }));
    expect(await index.write(current, entries)).toEqual({
      outdated: 0,
      refused: [{ id: bad.id, reason: expect.stringMatching(/strict_dynamic_mapping_exception.*price/) }],
    });
    expect((await index.get(current, [good.id, bad.id])).map(({ id }) => id)).toEqual([good.id]);
  });

  test('nothing that answers there is SEARCH_UNAVAILABLE, at once', async () => {
    const nobody = opensearchAt(other, 'http://127.0.0.1:9');
    await expect(nobody.prepare()).rejects.toMatchObject({ code: 'SEARCH_UNAVAILABLE' });
    await expect(nobody.ping()).rejects.toMatchObject({ code: 'SEARCH_UNAVAILABLE' });
    await nobody.close();
  });
});
