import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import swagger from '@fastify/swagger';
import scalar from '@scalar/fastify-api-reference';
import { jsonSchemaTransformObject } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { App, HttpDeps } from '../deps.ts';
import { documentRoute } from '../documented.ts';
import { CDN_PATHS } from '../documented-cdn.ts';

/** Stands in the page until a real nonce takes its place. */
const NONCE_PLACE = 'nonce-of-this-answer';

const INTRODUCTION = `Photo storage for marketplaces: upload, check, process, store and deliver.

Errors are problem documents (RFC 9457) with a \`code\` from a closed list; program against the code.
Reads of public photos need no token; everything else takes a bearer token whose \`sub\` is the user and whose
\`roles\` are any of seller, moderator, admin, service.`;

/** `/openapi.json`, made of the same schemas that check requests and answers. Before any route is registered. */
export async function describeApi(
  app: App,
  { publicUrl, edge }: Pick<HttpDeps, 'publicUrl' | 'edge'>,
): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'LocalEx Storage', version: await packageVersion(), description: INTRODUCTION },
      components: {
        securitySchemes: { bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } },
      },
    },
    transform: documentRoute,
    transformObject: jsonSchemaTransformObject,
  });
  app.get('/openapi.json', { schema: { hide: true } }, async (_request, reply) => {
    reply.header('cache-control', 'no-cache');
    const document = app.swagger();
    const components = 'components' in document ? document.components : undefined;
    return reply.send({
      ...document,
      paths: { ...document.paths, ...(edge !== null && CDN_PATHS) },
      servers: [{ url: publicUrl() }],
      components: { ...components, schemas: namedSchemas(components?.schemas ?? {}) },
    });
  });
}

async function packageVersion(): Promise<string> {
  const text = await readFile(new URL('../../../package.json', import.meta.url), 'utf8');
  return z.object({ version: z.string() }).parse(JSON.parse(text)).version;
}

/** Named schemas are answers only: their twins for requests are used by nothing. */
function namedSchemas(schemas: object): object {
  return Object.fromEntries(Object.entries(schemas).filter(([name]) => !name.endsWith('Input')));
}

/** `/docs`: the reference as a page, with a policy of its own that trusts this answer's scripts only. */
export async function docsPage(app: App): Promise<void> {
  await app.register(async (scope) => {
    await scope.register(scalar, {
      routePrefix: '/docs',
      logLevel: 'silent',
      configuration: {
        url: '/openapi.json',
        nonce: NONCE_PLACE,
        pageTitle: 'LocalEx Storage API',
        withDefaultFonts: false,
        telemetry: false,
        hideClientButton: true,
        showDeveloperTools: 'never',
        agent: { disabled: true },
        mcp: { disabled: true },
      },
    });
    scope.addHook('onSend', async (_request, reply, payload) => {
      if (typeof payload !== 'string' || !payload.includes(NONCE_PLACE)) return payload;
      const nonce = randomBytes(18).toString('base64url');
      reply.header('content-security-policy', policyWith(nonce));
      reply.header('cache-control', 'no-store');
      return payload.replaceAll(NONCE_PLACE, nonce);
    });
  });
}

/** The page styles its elements by attribute, so styles are allowed inline; scripts are not. */
function policyWith(nonce: string): string {
  return [
    "default-src 'none'",
    `script-src 'nonce-${nonce}'`,
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data:",
    "font-src 'self' data:",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
}
