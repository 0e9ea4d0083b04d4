import { v7 } from 'uuid';
import { createOpensearchPhotoIndex } from '#src/adapters/search/opensearch.ts';
import type { PhotoIndex } from '#src/ports/search.ts';

const url = process.env['TEST_OPENSEARCH_URL'] ?? '';

/** Why tests on OpenSearch are skipped here; undefined when they are not. */
export const NO_OPENSEARCH = url === '' ? 'TEST_OPENSEARCH_URL names no node' : undefined;
export const OPENSEARCH_URL = url;

/** A prefix that nobody else has, for settings and indexes of one test. */
export function newPrefix(): string {
  return `test-${v7().slice(-12)}`;
}

export function opensearchAt(prefix: string, at = url): PhotoIndex {
  return createOpensearchPhotoIndex({ url: at, prefix, shards: 1 });
}

/** Asks the node itself. */
export async function askNode(method: string, path: string, body?: object): Promise<unknown> {
  const answer = await fetch(`${url}${path}`, {
    method,
    ...(body !== undefined && {
      body: JSON.stringify(body),
      headers: { 'content-type': 'application/json' },
    }),
  });
  return answer.json();
}

/** Removes all indexes that begin so. */
export async function removeIndexes(prefix: string): Promise<void> {
  await askNode('DELETE', `/${prefix}-*?expand_wildcards=all`);
}
