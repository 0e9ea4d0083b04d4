import { expect, test } from 'vitest';
import { objectKey } from '#src/domain/keys.ts';
import { startEdge } from '#test/integration/http/edge-server.ts';
import { describeCdn } from './cdn.contract.ts';

describeCdn('the local edge', async () => {
  const server = await startEdge({ trustProxy: 1 });
  return {
    cdn: server.edge,
    reachable: server.edge,
    put: (key, bytes) => server.put(key, bytes),
    remove: (key) => server.store.delete(objectKey(key)),
    reads: server.reads,
    thumbnails: server.thumbnails,
    get: (path, headers) => server.get(`/cdn/${path}`, headers),
    from: (country) => ({ 'cloudfront-viewer-country': country }),
    settle: async () => undefined,
    close: () => server.close(),
  };
});

test('the edge has no host names of its own to configure', async () => {
  const server = await startEdge();
  await expect(server.edge.configure({ aliases: ['photos.example.com'] })).rejects.toMatchObject({
    code: 'UNSUPPORTED',
  });
  await server.close();
});
