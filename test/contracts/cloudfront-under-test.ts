import {
  createCloudfrontCdn,
  type CloudfrontCdn,
  type CloudfrontOptions,
} from '#src/adapters/cdn/cloudfront.ts';
import { createPurgeLedger } from '#src/db/purge-ledger.ts';
import { cacheControlOf, cachePolicyFor } from '#src/domain/cache-policy.ts';
import { objectKey } from '#src/domain/keys.ts';
import { systemClock } from '#src/ports/clock.ts';
import { FAKE_CREDENTIALS, type FakeCloudfront, startFakeCloudfront } from '#test/fakes/cloudfront.ts';
import { CDN_HOST } from '#test/fakes/cloudfront/standing-config.ts';
import { FROM_HEADER, startEdgeLocation } from '#test/fakes/cloudfront/viewer.ts';
import { ask, startEdge } from '#test/integration/http/edge-server.ts';
import { createTestDatabase } from '#test/support/database.ts';
import { recordingLog } from '#test/support/recording-log.ts';
import { rsaKeyPair, SIGNATURES } from '#test/support/signing-keys.ts';
import type { CdnUnderTest } from './cdn.contract.ts';

/** The adapter on the stand-in, with short waits. */
export function cloudfrontOn(
  api: FakeCloudfront,
  options: Pick<CloudfrontOptions, 'ledger'> & Partial<CloudfrontOptions>,
): CloudfrontCdn {
  return createCloudfrontCdn({
    endpoint: api.endpoint,
    credentials: FAKE_CREDENTIALS,
    distributionId: api.distributionId,
    url: `https://${CDN_HOST}`,
    keyPair: rsaKeyPair(),
    signatures: SIGNATURES,
    clock: systemClock,
    log: recordingLog(),
    paces: { askMs: 0, createIntervalMs: 0, retry: { baseMs: 1, capMs: 5 } },
    ...options,
  });
}

/** CloudFront's stand-in before a bucket, with the edge as the service that looks up aliases. */
export async function startCloudfront(): Promise<CdnUnderTest> {
  const database = await createTestDatabase();
  const api = await startFakeCloudfront();
  const origin = await startEdge({ serves: 'look-ups' });
  const location = await startEdgeLocation({
    api,
    bucket: origin.store,
    service: (req, res) => origin.edge.handle(req, res),
    key: rsaKeyPair(),
  });
  const adapter = cloudfrontOn(api, { ledger: createPurgeLedger(database.db) });
  // As the service composes it: its own edge forgets first.
  const cdn = {
    ...adapter,
    async invalidate(paths: readonly string[]) {
      await origin.edge.invalidate(paths);
      return adapter.invalidate(paths);
    },
  };
  const port = Number(new URL(location.url).port);
  return {
    cdn,
    reachable: { ...cdn, url: (path) => `${location.url}/${encodeURI(path)}` },
    async put(key, bytes) {
      const contentType = `image/${/\.(webp|png)$/.exec(key)?.[1] ?? 'jpeg'}`;
      const cacheControl = cacheControlOf(cachePolicyFor(key));
      await origin.store.put(objectKey(key), bytes, { contentType, cacheControl });
    },
    remove: (key) => origin.store.delete(objectKey(key)),
    reads: location.reads,
    thumbnails: origin.thumbnails,
    get: (path, headers = {}) => ask(port, `/${path}`, headers, 'GET'),
    from: (country) => ({ [FROM_HEADER]: country }),
    async settle() {
      await adapter.advance();
      api.complete();
      await adapter.advance();
    },
    async close() {
      await adapter.close();
      await location.close();
      await origin.close();
      await api.close();
      await database.close();
    },
  };
}
