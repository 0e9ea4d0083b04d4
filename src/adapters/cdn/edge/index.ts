import type { IncomingMessage, ServerResponse } from 'node:http';
import { type CacheRule, cacheControlOf, cachePolicyFor } from '#src/domain/cache-policy.ts';
import { isStorageError, StorageError } from '#src/domain/errors.ts';
import { EVERYWHERE, type GeoRule } from '#src/domain/geo.ts';
import type { UserId } from '#src/domain/ids.ts';
import { type ObjectKey, objectKey, profileAlias } from '#src/domain/keys.ts';
import type { OutputFormat } from '#src/domain/renditions.ts';
import type { Cdn } from '#src/ports/cdn.ts';
import type { Clock } from '#src/ports/clock.ts';
import type { Log } from '#src/ports/log.ts';
import type { ObjectStore } from '#src/ports/object-store.ts';
import type { SigningKeyPair } from '../signing/key-pair.ts';
import { createSigner, type SignatureLimits } from '../signing/signer.ts';
import { createVerifier } from '../signing/verifier.ts';
import { createAliasCache } from './alias-cache.ts';
import { KEPT_BY_NOBODY, type KeptAs, type PreparedHeaders, prepareHeaders, sendProblem } from './answers.ts';
import { createGuard, redirect } from './guard.ts';
import { createHotCache } from './hot-cache.ts';
import { type EdgeObject, type Sent, sendFromMemory, sendFromStore } from './send.ts';
import { acceptsWebp, candidates, readTarget } from './target.ts';
import type { EdgeUsage } from './usage-log.ts';
import { addressOf, type TrustProxy } from './viewer.ts';

export interface EdgeOptions {
  readonly store: ObjectStore;
  /** Absolute base of public URLs without a trailing slash: `https://host/cdn`. Asked late, as the port may be. */
  readonly url: () => string;
  /** Budget of the memory cache. */
  readonly hotCacheBytes: number;
  /** The same in every process that signs or serves. */
  readonly keyPair: SigningKeyPair;
  readonly signatures: SignatureLimits;
  /** Is told of every answer. */
  readonly usage?: EdgeUsage;
  /** Key of a user's present public thumbnail; NOT_FOUND when there is none. */
  readonly profileThumbnailKey: (userId: UserId, format: OutputFormat) => Promise<string>;
  /** Whether the rows let it be read at its address. Asked for each request that memory does not answer. */
  readonly mayServe: (key: ObjectKey) => Promise<boolean>;
  readonly geo?: GeoRule;
  /** Names the viewer's country, where a proxy is believed. Lower case. */
  readonly countryHeader?: string;
  readonly trustProxy?: TrustProxy;
  /**
   * `look-ups`: only what a CDN in front cannot find by itself, since the store has no such key: the alias of a profile
   * photo and `.auto` of an original. Default: everything.
   */
  readonly serves?: 'everything' | 'look-ups';
  readonly clock: Clock;
  readonly log: Log;
}

export interface Edge extends Cdn {
  /** Answers requests below `/cdn/` and says so; leaves every other to the caller. */
  handle(req: IncomingMessage, res: ServerResponse): boolean;
}

const MOUNT = '/cdn/';

/**
 * The CDN of a machine without one: serves public objects from memory or from the store with the caching, ranges, format
 * negotiation, geo rules and signatures of CloudFront, so that all of it runs without an account. What memory has not is asked
 * of the rows first: wrong bytes and evidence may lie at a public key that nobody shall read them at, where CloudFront goes by
 * a tag. Memory needs no asking, since it is purged of what the rows no longer give.
 */
export function createEdge(options: EdgeOptions): Edge {
  const { store, clock, trustProxy = false, countryHeader = 'cloudfront-viewer-country' } = options;
  const servesAll = options.serves !== 'look-ups';
  const rules = new Map<string, CacheRule>();
  const policyOf = (path: string) => cachePolicyFor(path, [...rules.values()]);
  const url = (path: string) => `${options.url()}/${encodeURI(path)}`;
  const signer = createSigner({ keyPair: options.keyPair, limits: options.signatures, url, clock });
  const verdictOn = createVerifier({
    keyPairId: options.keyPair.id,
    publicKey: options.keyPair.publicKey,
    limits: options.signatures,
  });
  const cache = createHotCache<PreparedHeaders>({
    store,
    maxBytes: options.hotCacheBytes,
    prepare: (info) => prepareHeaders(info, policyOf(info.key)),
  });
  const aliases = createAliasCache(options.profileThumbnailKey);
  const makeGuard = (geo: GeoRule) =>
    createGuard({ trustProxy, countryHeader, isSecure: options.url().startsWith('https:') }, geo);
  let geo = options.geo ?? EVERYWHERE;
  let guard: ReturnType<typeof makeGuard> | undefined;

  async function send(
    req: IncomingMessage,
    res: ServerResponse,
    object: EdgeObject,
    kept: KeptAs,
  ): Promise<void> {
    if (!object.prepared.servable) throw new StorageError('NOT_FOUND');
    const { body } = object;
    const sent =
      body === null
        ? await sendFromStore(req, res, object, kept, store)
        : sendFromMemory(req, res, object, body, kept);
    note(req, object, sent);
  }

  /** An object that memory holds was fetched for whoever got it first. */
  function note({ method = '', headers }: IncomingMessage, { prepared, body }: EdgeObject, sent: Sent): void {
    const { usage } = options;
    if (usage === undefined) return;
    const delivery = sent.status >= 400 ? 'error' : prepared.wasSent && body !== null ? 'hit' : 'miss';
    prepared.wasSent = true;
    usage.note({ ...sent, method, delivery, fileId: prepared.fileId, userAgent: headers['user-agent'] });
  }

  /** Answers at once when a plain or negotiated URL is in memory: no parsing, no promise. */
  function answerFromMemory(req: IncomingMessage, res: ServerResponse, path: string): boolean {
    const negotiated = path.endsWith('.auto');
    const extension = negotiated && acceptsWebp(req.headers.accept) ? 'webp' : 'jpg';
    const object = cache.peek(negotiated ? `${path.slice(0, -'auto'.length)}${extension}` : path);
    if (object === undefined || object.body === null || !object.prepared.servable) return false;
    const { prepared } = object;
    const kept = negotiated ? prepared.negotiated : prepared.plain;
    note(req, object, sendFromMemory(req, res, object, object.body, kept));
    return true;
  }

  async function answer(req: IncomingMessage, res: ServerResponse, path: string, query: string) {
    const target = readTarget(path);
    if (target === 'malformed') throw new StorageError('INVALID_REQUEST');
    if (target === null) throw new StorageError('NOT_FOUND');
    const isLookUp = target.kind === 'alias' || (target.kind === 'auto' && target.isOriginal);
    if (!servesAll && !isLookUp) throw new StorageError('NOT_FOUND');
    const webp = acceptsWebp(req.headers.accept);
    switch (target.kind) {
      case 'private': {
        if (!isSigned(req, path, query)) throw new StorageError('NOT_FOUND');
        await assertMayServe(target.key);
        const info = await store.head(target.key);
        const prepared = prepareHeaders(info, policyOf(target.key));
        return send(req, res, { info, body: null, prepared }, prepared.plain);
      }
      case 'object': {
        const signed = query !== '' && isSigned(req, path, query);
        const object = await load(target.key);
        return send(req, res, object, signed ? KEPT_BY_NOBODY : object.prepared.plain);
      }
      case 'auto': {
        const object = await loadFirst(candidates(target, webp));
        return send(req, res, object, object.prepared.negotiated);
      }
      case 'alias': {
        const key = await aliases.resolve(target.userId, webp ? 'webp' : 'jpeg');
        const cacheControl = cacheControlOf(policyOf(profileAlias(target.userId)));
        return send(req, res, await cache.load(objectKey(key)), { cacheControl, vary: true });
      }
    }
  }

  async function load(key: ObjectKey): Promise<EdgeObject> {
    const known = cache.peek(key);
    if (known !== undefined && known.body !== null) return known;
    await assertMayServe(key);
    return cache.load(key);
  }

  async function assertMayServe(key: ObjectKey): Promise<void> {
    if (!(await options.mayServe(key))) throw new StorageError('NOT_FOUND');
  }

  /** The first that exists; one in memory saves asking for the others. */
  async function loadFirst(keys: readonly ObjectKey[]): Promise<EdgeObject> {
    for (const key of keys) {
      try {
        return await load(key);
      } catch (error) {
        if (!isStorageError(error, 'NOT_FOUND')) throw error;
      }
    }
    throw new StorageError('NOT_FOUND');
  }

  /** False without a signature; FORBIDDEN with one that does not open this URL now. */
  function isSigned(req: IncomingMessage, path: string, query: string): boolean {
    const { cookie } = req.headers;
    const request = { url: `${options.url()}/${path}`, query, cookie, address: addressOf(req, trustProxy) };
    const verdict = verdictOn(request, clock.now().getTime());
    if (verdict === 'invalid') throw new StorageError('FORBIDDEN');
    return verdict === 'valid';
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
    noteFailure(res);
  }

  function noteFailure({ req: { method = '', headers }, statusCode: status }: ServerResponse): void {
    const nothing = { fileId: null, bytes: 0, rangeStart: null, delivery: 'error' } as const;
    options.usage?.note({ ...nothing, method, status, userAgent: headers['user-agent'] });
  }

  /** True when nothing more is to be done. */
  function isStopped(req: IncomingMessage, res: ServerResponse, path: string): boolean {
    guard ??= makeGuard(geo);
    if (guard === null) return false;
    try {
      if (guard(req) === 'pass') return false;
      redirect(res, `${options.url()}/${path}`);
    } catch (error) {
      fail(res, error);
    }
    return true;
  }

  return {
    name: 'edge',
    url,
    signedUrl: (path, expiresAt) => signer.signedUrl(path, expiresAt),
    signedCookies: (pattern, expiresAt) => signer.signedCookies(pattern, expiresAt),
    async invalidate(paths) {
      for (const path of paths) {
        cache.invalidate(path);
        aliases.invalidate(path);
      }
      return 'done';
    },
    isPurged: async () => true,
    async setCacheRule(rule) {
      rules.set(rule.pattern, rule);
      cache.clear();
    },
    async configure(settings) {
      if (settings.aliases !== undefined)
        throw new StorageError('UNSUPPORTED', 'The edge answers for every host name that leads to it.');
      geo = settings.geo ?? geo;
      guard = undefined;
    },
    async close() {},

    handle(req, res) {
      const { url: called = '', method } = req;
      if (!called.startsWith(MOUNT)) return false;
      if (method !== 'GET' && method !== 'HEAD') {
        fail(res, new StorageError('UNSUPPORTED', 'Photos are read with GET or HEAD.'));
        return true;
      }
      const path = called.slice(MOUNT.length);
      if (guard !== null && isStopped(req, res, path)) return true;
      if (servesAll && answerFromMemory(req, res, path)) return true;
      const mark = path.indexOf('?');
      const query = mark === -1 ? '' : path.slice(mark + 1);
      answer(req, res, mark === -1 ? path : path.slice(0, mark), query).catch((error: unknown) =>
        fail(res, error),
      );
      return true;
    },
  };
}
