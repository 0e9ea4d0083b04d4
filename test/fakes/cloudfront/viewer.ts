import type { KeyObject } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { runInNewContext } from 'node:vm';
import { z } from 'zod';
import { acceptFunctionSource } from '#src/adapters/cdn/cloudfront/accept-function.ts';
import { isStorageError } from '#src/domain/errors.ts';
import { isObjectKey } from '#src/domain/keys.ts';
import type { ObjectStore } from '#src/ports/object-store.ts';
import type { FakeCloudfront } from '../cloudfront.ts';
import { CDN_HOST } from './standing-config.ts';
import { isOpened } from './viewer-signature.ts';
import { type Element, find, itemsAt, textAt } from './xml.ts';

export interface FakeEdgeLocation {
  /** Where viewers are answered; a test sends here what goes to https://cdn.example.com. */
  readonly url: string;
  /** Keys that were read from the bucket so far. */
  readonly reads: string[];
  close(): Promise<void>;
}

interface Kept {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body: Buffer;
}

const Rewritten = z.union([
  z.object({ statusCode: z.int() }),
  z.object({ uri: z.string(), headers: z.object({ accept: z.object({ value: z.string() }) }) }),
]);

/** What a viewer sent instead of coming from a country: CloudFront finds it out by the address. */
export const FROM_HEADER = 'x-test-from';

/**
 * One edge location of the stand-in's distribution: follows its present configuration (behaviours in order, key group,
 * geographic restriction, aliases), runs the viewer-request function, keeps answers by path until an invalidation that
 * covers them is completed, and reads the bucket as OAC lets it: 403 for a key that is not there, since it may not list.
 * "How CloudFront processes and caches requests", "Cache behavior settings", Developer Guide, 2026.
 */
export async function startEdgeLocation(options: {
  readonly api: FakeCloudfront;
  readonly bucket: ObjectStore;
  readonly service: (req: IncomingMessage, res: ServerResponse) => boolean;
  readonly key: { readonly id: string; readonly publicKey: KeyObject };
}): Promise<FakeEdgeLocation> {
  const { api, bucket } = options;
  const source = await acceptFunctionSource();
  const kept = new Map<string, Kept>();
  const seen = new Set<string>();
  const reads: string[] = [];
  const service = await listen((req, res) => {
    if (!options.service(req, res)) res.writeHead(404).end();
  });

  function forgetPurged(): void {
    for (const { id, paths, completed } of api.invalidations.all) {
      if (!completed || seen.has(id)) continue;
      seen.add(id);
      for (const name of kept.keys())
        if (paths.some((path) => isCovered(path, name.slice(0, name.indexOf(' '))))) kept.delete(name);
    }
  }

  async function answer(req: IncomingMessage): Promise<Kept> {
    forgetPurged();
    const { config } = api.distribution;
    // As it was sent: nothing is resolved or decoded on the way.
    const [pathname = ''] = (req.url ?? '').split('?');
    const path = pathname.slice(1);
    if (!isServed(config, String(req.headers[FROM_HEADER] ?? ''))) return error(403, 'geo');
    const behaviour = behaviourOf(config, path);
    if (textAt(behaviour, 'TrustedKeyGroups', 'Enabled') === 'true') {
      const asked = new URL(`https://${CDN_HOST}${req.url ?? ''}`);
      if (!isOpened(asked, req.headers.cookie ?? '', options.key, Date.now())) return error(403, 'signature');
    }
    const isPublic = /^(items|profiles)\//.test(path);
    const rewritten = isPublic ? runFunction(pathname, req.headers.accept) : null;
    if (rewritten !== null && 'statusCode' in rewritten) return error(rewritten.statusCode, 'function');
    const uri = rewritten?.uri ?? pathname;
    const accept = rewritten?.headers.accept.value ?? '';
    const isLookUp = textAt(behaviour, 'TargetOriginId') === 'service';
    const name = `${uri} ${isLookUp ? accept : ''}`;
    const known = kept.get(name);
    if (known !== undefined)
      return { ...known, headers: { ...known.headers, 'x-cache': 'Hit from cloudfront' } };
    const fresh = isLookUp ? await fromService(uri, accept) : await fromBucket(unescape(uri.slice(1)));
    if (fresh.status === 200 && !/no-store|private/.test(fresh.headers['cache-control'] ?? ''))
      kept.set(name, fresh);
    return fresh;
  }

  function runFunction(uri: string, accept: string | undefined) {
    const headers = accept === undefined ? {} : { accept: { value: accept } };
    const event = JSON.stringify({
      version: '1.0',
      request: { method: 'GET', uri, querystring: {}, headers },
    });
    return Rewritten.parse(
      JSON.parse(String(runInNewContext(`${source}; JSON.stringify(handler(${event}))`))),
    );
  }

  async function fromService(uri: string, accept: string): Promise<Kept> {
    const response = await fetch(`${service.url}/cdn${uri}`, { headers: { accept } });
    const headers: Record<string, string> = {};
    for (const field of ['content-type', 'cache-control', 'etag', 'vary'])
      if (response.headers.has(field)) headers[field] = response.headers.get(field) ?? '';
    return { status: response.status, headers, body: Buffer.from(await response.arrayBuffer()) };
  }

  async function fromBucket(key: string): Promise<Kept> {
    if (!isObjectKey(key)) return error(403, 'bucket');
    reads.push(key);
    try {
      const { info, body } = await bucket.get(key);
      const headers = {
        'content-type': info.contentType,
        'cache-control': info.cacheControl ?? '',
        etag: `"${info.etag}"`,
      };
      return { status: 200, headers, body: await buffer(body) };
    } catch (thrown) {
      if (isStorageError(thrown, 'NOT_FOUND')) return error(403, 'bucket');
      throw thrown;
    }
  }

  const view = async (req: IncomingMessage, res: ServerResponse) => {
    const { status, headers, body } = await answer(req);
    res.writeHead(status, {
      'x-cache': 'Miss from cloudfront',
      ...headers,
      'x-amz-cf-pop': 'FRA56-P12',
      'content-length': body.length,
    });
    res.end(req.method === 'HEAD' ? undefined : body);
  };
  const viewer = await listen((req, res) => {
    view(req, res).catch(() => res.writeHead(502).end());
  });
  return {
    url: viewer.url,
    reads,
    async close() {
      await viewer.close();
      await service.close();
    },
  };
}

function unescape(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return '';
  }
}

function error(status: number, why: string): Kept {
  const headers = { 'content-type': 'text/xml', 'x-cache': 'Error from cloudfront' };
  return { status, headers, body: Buffer.from(`<Error><Message>${why}</Message></Error>`) };
}

function isServed(config: Element, country: string): boolean {
  const geo = find(config, 'Restrictions', 'GeoRestriction');
  const kind = textAt(geo, 'RestrictionType');
  const isListed = itemsAt(geo).some(({ text }) => text === country);
  return kind === 'none' || country === '' || isListed === (kind === 'whitelist');
}

/** Behaviours are looked through in their order; the standing one comes last. */
function behaviourOf(config: Element, path: string): Element | undefined {
  const matches = ({ children }: Element) => {
    const pattern = children.find(({ name }) => name === 'PathPattern')?.text.replace(/^\//, '') ?? '';
    const parts = pattern
      .split('*')
      .map((part) => part.replaceAll(/[.+^$()[\]{}|\\]/g, '\\$&').replaceAll('?', '.'));
    return new RegExp(`^${parts.join('.*')}$`).test(path);
  };
  return itemsAt(config, 'CacheBehaviors').find(matches) ?? find(config, 'DefaultCacheBehavior');
}

function isCovered(pattern: string, path: string): boolean {
  return pattern.endsWith('*') ? path.startsWith(pattern.slice(0, -1)) : path === pattern;
}

async function listen(handler: (req: IncomingMessage, res: ServerResponse) => void) {
  const server = createServer(handler);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return {
    url: `http://127.0.0.1:${address !== null && typeof address === 'object' ? address.port : 0}`,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
