import type { IncomingMessage, ServerResponse } from 'node:http';
import { isStorageError, StorageError } from '#src/domain/errors.ts';
import type { UserId } from '#src/domain/ids.ts';
import { type ObjectKey, objectKey } from '#src/domain/keys.ts';
import type { OutputFormat } from '#src/domain/renditions.ts';
import type { Cdn } from '#src/ports/cdn.ts';
import type { Clock } from '#src/ports/clock.ts';
import type { Log } from '#src/ports/log.ts';
import type { ObjectStore } from '#src/ports/object-store.ts';
import { createAliasCache } from './alias-cache.ts';
import {
  ALIAS_POLICY,
  type CachePolicy,
  NEGOTIATED_POLICY,
  type PreparedHeaders,
  PRIVATE_POLICY,
  PUBLIC_POLICY,
  prepareHeaders,
  sendProblem,
} from './answers.ts';
import { createHotCache } from './hot-cache.ts';
import { type EdgeObject, sendFromMemory, sendFromStore } from './send.ts';
import { createUrlSigner } from './signature.ts';
import { acceptsWebp, candidates, readTarget } from './target.ts';

export interface EdgeOptions {
  readonly store: ObjectStore;
  /** Absolute base of public URLs without a trailing slash: `https://host/cdn`. Asked late, as the port may be. */
  readonly url: () => string;
  /** Budget of the memory cache. */
  readonly hotCacheBytes: number;
  /** At least 32 random bytes; the same in every process that signs or serves. */
  readonly signingKey: Uint8Array;
  /** Key of a user's present public thumbnail; NOT_FOUND when there is none. */
  readonly profileThumbnailKey: (userId: UserId, format: OutputFormat) => Promise<string>;
  readonly clock: Clock;
  readonly log: Log;
}

export interface Edge extends Cdn {
  /** Answers requests below `/cdn/` and says so; leaves every other to the caller. */
  handle(req: IncomingMessage, res: ServerResponse): boolean;
}

const MOUNT = '/cdn/';

/**
 * The CDN of a machine without one: serves public objects from memory or from the store with the caching, ranges
 * and format negotiation of a CDN, and private ones by signature. It knows nothing of rows: an object lies under a
 * public prefix only while it is public.
 */
export function createEdge(options: EdgeOptions): Edge {
  const { store, clock } = options;
  const signer = createUrlSigner(options.signingKey);
  const cache = createHotCache<PreparedHeaders>({
    store,
    maxBytes: options.hotCacheBytes,
    prepare: prepareHeaders,
  });
  const aliases = createAliasCache(options.profileThumbnailKey);

  async function send(
    req: IncomingMessage,
    res: ServerResponse,
    object: EdgeObject,
    policy: CachePolicy,
  ): Promise<void> {
    if (!object.prepared.servable) throw new StorageError('NOT_FOUND');
    const { body } = object;
    if (body === null) await sendFromStore(req, res, object, policy, store);
    else sendFromMemory(req, res, object, body, policy);
  }

  /** Answers at once when a plain or negotiated URL is in memory: no parsing, no promise. */
  function answerFromMemory(req: IncomingMessage, res: ServerResponse, path: string): boolean {
    const negotiated = path.endsWith('.auto');
    const extension = negotiated && acceptsWebp(req.headers.accept) ? 'webp' : 'jpg';
    const object = cache.peek(negotiated ? `${path.slice(0, -'auto'.length)}${extension}` : path);
    if (object === undefined || object.body === null || !object.prepared.servable) return false;
    sendFromMemory(req, res, object, object.body, negotiated ? NEGOTIATED_POLICY : PUBLIC_POLICY);
    return true;
  }

  async function answer(req: IncomingMessage, res: ServerResponse, path: string, query: URLSearchParams) {
    const target = readTarget(path);
    if (target === 'malformed') throw new StorageError('INVALID_REQUEST');
    if (target === null) throw new StorageError('NOT_FOUND');
    const webp = acceptsWebp(req.headers.accept);
    switch (target.kind) {
      case 'private': {
        if (!query.has('signature')) throw new StorageError('NOT_FOUND');
        requireSignature(target.key, query);
        const info = await store.head(target.key);
        return send(req, res, { info, body: null, prepared: prepareHeaders(info) }, PRIVATE_POLICY);
      }
      case 'object': {
        const signed = query.has('signature');
        if (signed) requireSignature(target.key, query);
        return send(req, res, await cache.load(target.key), signed ? PRIVATE_POLICY : PUBLIC_POLICY);
      }
      case 'auto':
        return send(req, res, await loadFirst(candidates(target, webp)), NEGOTIATED_POLICY);
      case 'alias': {
        const key = await aliases.resolve(target.userId, webp ? 'webp' : 'jpeg');
        return send(req, res, await cache.load(objectKey(key)), ALIAS_POLICY);
      }
    }
  }

  /** The first that exists; one in memory saves asking for the others. */
  async function loadFirst(keys: readonly ObjectKey[]): Promise<EdgeObject> {
    for (const key of keys) {
      try {
        return await cache.load(key);
      } catch (error) {
        if (!isStorageError(error, 'NOT_FOUND')) throw error;
      }
    }
    throw new StorageError('NOT_FOUND');
  }

  function requireSignature(key: ObjectKey, query: URLSearchParams): void {
    if (!signer.check(key, query, clock.now().getTime()).valid) throw new StorageError('FORBIDDEN');
  }

  function fail(res: ServerResponse, error: unknown): void {
    if (res.headersSent || res.destroyed) {
      res.destroy();
      return;
    }
    const known = isStorageError(error) ? error : new StorageError('STORAGE_UNAVAILABLE');
    if (!isStorageError(error)) options.log.error({ err: error }, 'The edge could not answer');
    const allow = known.code === 'UNSUPPORTED' ? ['Allow', 'GET, HEAD'] : [];
    sendProblem(res, known, allow);
  }

  return {
    name: 'edge',
    url: (path) => `${options.url()}/${encodeURI(path)}`,
    signedUrl: (path, expiresAt) => `${options.url()}/${encodeURI(path)}?${signer.sign(path, expiresAt)}`,
    async invalidate(paths) {
      for (const path of paths) {
        cache.invalidate(path);
        aliases.invalidate(path);
      }
    },
    async close() {},

    handle(req, res) {
      const { url = '', method } = req;
      if (!url.startsWith(MOUNT)) return false;
      if (method !== 'GET' && method !== 'HEAD') {
        fail(res, new StorageError('UNSUPPORTED', 'Photos are read with GET or HEAD.'));
        return true;
      }
      const path = url.slice(MOUNT.length);
      if (answerFromMemory(req, res, path)) return true;
      const mark = path.indexOf('?');
      const query = new URLSearchParams(mark === -1 ? '' : path.slice(mark + 1));
      answer(req, res, mark === -1 ? path : path.slice(0, mark), query).catch((error: unknown) =>
        fail(res, error),
      );
      return true;
    },
  };
}
