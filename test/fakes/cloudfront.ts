import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { assertConfig, assertMatch, etagOf, type Versioned } from './cloudfront/distributions.ts';
import { Invalidations, invalidationXml } from './cloudfront/invalidations.ts';
import { Refusal } from './cloudfront/refusal.ts';
import { distributionConfig } from './cloudfront/standing-config.ts';
import { el, type Element, parseXml, textAt, writeXml } from './cloudfront/xml.ts';

/** What becomes of one call instead of its answer. */
export type Fault = 'throttled' | 'unavailable' | 'lost answer' | 'no answer' | 'lost request' | 'denied';

export interface FakeCloudfront {
  readonly endpoint: string;
  readonly distributionId: string;
  readonly invalidations: Invalidations;
  readonly distribution: Versioned;
  readonly cachePolicies: Map<string, Versioned>;
  /** Method and path of every call, with its time. */
  readonly calls: { readonly name: string; readonly at: number }[];
  /** What becomes of the next calls, in order; null lets one pass. */
  readonly faults: (Fault | null)[];
  /** CreateInvalidation faster than this is Throttling; 0: never. */
  minCreateIntervalMs: number;
  /** Called with a configuration that was accepted, before it is answered: another writer, say. */
  onRead: (() => void) | null;
  /** All invalidations in progress are done. */
  complete(): void;
  /** Edits the configuration as somebody else would. */
  editByOther(edit: (config: Element) => Element): void;
  close(): Promise<void>;
}

export const FAKE_CREDENTIALS = { accessKeyId: 'AKIAFAKEFAKEFAKEFAKE', secretAccessKey: 'secret' };
const ROOT = '/2020-05-31';
/** "Managed cache policies", Developer Guide: they exist in every account and cannot be changed. */
const MANAGED = new Set(['658327ea-f89d-4fab-a63d-7e88639e58f6', '4135ea2d-6df8-44a3-9df3-4b5a84be39ad']);

/**
 * The part of the CloudFront API (2020-05-31, REST-XML) that this product calls, over HTTP, with the documented rules; each
 * is cited where it is held. Nothing real can be had for it without an account.
 */
export async function startFakeCloudfront(): Promise<FakeCloudfront> {
  const distributionId = 'E2FAKEDISTR1';
  const fake = {
    distributionId,
    invalidations: new Invalidations(),
    distribution: { id: distributionId, config: distributionConfig(), version: 1 },
    cachePolicies: new Map<string, Versioned>(),
    calls: [] as { name: string; at: number }[],
    faults: [] as (Fault | null)[],
    minCreateIntervalMs: 0,
    onRead: null as (() => void) | null,
    lastCreate: 0,
  };
  const server = createServer((req, res) => {
    void answer(req, res).catch(() => res.destroy());
  });

  async function answer(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const body = await text(req);
    const [path = '', query = ''] = (req.url ?? '').split('?');
    fake.calls.push({ name: `${req.method} ${path.slice(ROOT.length)}`, at: Date.now() });
    const fault = fake.faults.shift() ?? null;
    try {
      if (fault === 'lost request') return void req.socket.destroy();
      if (fault !== null && fault !== 'lost answer' && fault !== 'no answer') throw FAULTS[fault];
      // "Common errors": MissingAuthenticationTokenException.
      if (
        !/^AWS4-HMAC-SHA256 Credential=\w+\/\d{8}\/us-east-1\/cloudfront\//.test(
          req.headers.authorization ?? '',
        )
      )
        throw new Refusal(403, 'MissingAuthenticationToken', 'The request is not signed.');
      const { status, element, headers = {} } = route(req, path, new URLSearchParams(query), body);
      if (fault === 'lost answer') return void req.socket.destroy();
      if (fault === 'no answer') return;
      res.writeHead(status, { 'content-type': 'text/xml', ...headers });
      res.end(`<?xml version="1.0"?>\n${writeXml(element)}`);
    } catch (error) {
      const refusal = error instanceof Refusal ? error : new Refusal(400, 'MalformedXML', String(error));
      res.writeHead(refusal.status, { 'content-type': 'text/xml' }).end(refusal.toXml());
    }
  }

  interface Reply {
    readonly status: number;
    readonly element: Element;
    readonly headers?: Record<string, string>;
  }

  function route(req: IncomingMessage, path: string, query: URLSearchParams, body: string): Reply {
    const [, kind = '', id = '', what = '', which = ''] =
      /^\/2020-05-31\/(distribution|cache-policy)(?:\/(\w[\w-]*))?(?:\/(\w+))?(?:\/(\w+))?$/.exec(path) ?? [];
    const call = `${req.method} ${kind}${id === '' ? '' : '/id'}${what === '' ? '' : `/${what}`}${which === '' ? '' : '/id'}`;
    if (kind === 'distribution' && id !== distributionId)
      throw new Refusal(404, 'NoSuchDistribution', 'The specified distribution does not exist.');
    const { distribution, invalidations } = fake;
    switch (call) {
      case 'POST distribution/id/invalidation': {
        const since = Date.now() - fake.lastCreate;
        fake.lastCreate = Date.now();
        if (since < fake.minCreateIntervalMs) throw FAULTS.throttled;
        if (body === '') throw new Refusal(400, 'MissingBody', 'This operation requires a body.');
        const made = invalidations.create(parseXml(body));
        const location = `https://cloudfront.amazonaws.com${path}/${made.id}`;
        return { status: 201, element: invalidationXml(made), headers: { location } };
      }
      case 'GET distribution/id/invalidation/id':
        return { status: 200, element: invalidationXml(invalidations.get(which)) };
      case 'GET distribution/id/config': {
        const reply = versioned(200, distribution, distribution.config);
        fake.onRead?.();
        return reply;
      }
      case 'PUT distribution/id/config': {
        assertMatch(distribution, header(req, 'if-match'));
        const config = parseXml(body);
        assertConfig(
          distribution.config,
          config,
          (wanted) => MANAGED.has(wanted) || fake.cachePolicies.has(wanted),
        );
        distribution.config = config;
        distribution.version++;
        return versioned(200, distribution, distributionXml(distribution));
      }
      case 'GET cache-policy':
        return { status: 200, element: listPolicies(query) };
      case 'POST cache-policy': {
        const config = parseXml(body);
        assertPolicy(config, null);
        const made = { id: `policy-${fake.cachePolicies.size + 1}`, config, version: 1 };
        fake.cachePolicies.set(made.id, made);
        return versioned(201, made, policyXml(made));
      }
      case 'GET cache-policy/id':
        return versioned(200, policy(id), policyXml(policy(id)));
      case 'PUT cache-policy/id': {
        const present = policy(id);
        assertMatch(present, header(req, 'if-match'));
        const config = parseXml(body);
        assertPolicy(config, id);
        present.config = config;
        present.version++;
        return versioned(200, present, policyXml(present));
      }
      default:
        throw new Refusal(400, 'InvalidArgument', `The fake does not know ${call}.`);
    }
  }

  function policy(id: string): Versioned {
    const found = fake.cachePolicies.get(id);
    if (found === undefined) throw new Refusal(404, 'NoSuchCachePolicy', 'The cache policy does not exist.');
    return found;
  }

  /** CreateCachePolicy, CloudFront API Reference: CachePolicyAlreadyExists (409) for a name in use; TTLs in order. */
  function assertPolicy(config: Element, ownId: string | null): void {
    const name = textAt(config, 'Name') ?? '';
    const isTaken = [...fake.cachePolicies.values()].some(
      (one) => one.id !== ownId && textAt(one.config, 'Name') === name,
    );
    if (isTaken) throw new Refusal(409, 'CachePolicyAlreadyExists', 'A cache policy with this name exists.');
    const [min, standard, max] = ['MinTTL', 'DefaultTTL', 'MaxTTL'].map((field) =>
      Number(textAt(config, field)),
    );
    const inOrder =
      min !== undefined && standard !== undefined && max !== undefined && min <= standard && standard <= max;
    if (!/^[\w-]{1,128}$/.test(name) || !inOrder)
      throw new Refusal(400, 'InvalidArgument', 'The cache policy is not valid.');
  }

  /** ListCachePolicies: pages, so that whoever does not follow NextMarker is found out. */
  function listPolicies(query: URLSearchParams): Element {
    const all = [...fake.cachePolicies.values()];
    const from = Number(query.get('Marker') ?? 0);
    const items = all.slice(from, from + 1);
    const next = from + 1 < all.length ? [el('NextMarker', from + 1)] : [];
    return el(
      'CachePolicyList',
      ...next,
      el('MaxItems', 1),
      el('Quantity', items.length),
      el('Items', ...items.map((one) => el('CachePolicySummary', el('Type', 'custom'), policyXml(one)))),
    );
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = address !== null && typeof address === 'object' ? address.port : 0;
  return Object.assign(fake, {
    endpoint: `http://127.0.0.1:${port}`,
    complete() {
      for (const one of fake.invalidations.all) one.completed = true;
    },
    editByOther(edit: (config: Element) => Element) {
      fake.distribution.config = edit(fake.distribution.config);
      fake.distribution.version++;
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  });
}

/** Throttling and ServiceUnavailable as they are seen in practice: aws/aws-sdk-js issue 3983, aws/aws-cdk issue 15891. */
const FAULTS = {
  throttled: new Refusal(400, 'Throttling', 'Rate exceeded'),
  unavailable: new Refusal(
    503,
    'ServiceUnavailable',
    'CloudFront encountered an internal error. Please try again.',
  ),
  denied: new Refusal(403, 'AccessDenied', 'User is not authorized to perform this action.'),
} as const;

function header(req: IncomingMessage, name: string): string | undefined {
  const value = req.headers[name];
  return Array.isArray(value) ? value[0] : value;
}

function versioned(status: number, of: Versioned, element: Element) {
  return { status, element, headers: { etag: etagOf(of) } };
}

function policyXml({ id, config }: Versioned): Element {
  return el('CachePolicy', el('Id', id), el('LastModifiedTime', new Date().toISOString()), config);
}

function distributionXml({ id, config }: Versioned): Element {
  return el(
    'Distribution',
    el('Id', id),
    el('ARN', `arn:aws:cloudfront::123456789012:distribution/${id}`),
    el('Status', 'InProgress'),
    el('LastModifiedTime', new Date().toISOString()),
    el('InProgressInvalidationBatches', 0),
    el('DomainName', 'd111111abcdef8.cloudfront.net'),
    config,
  );
}
