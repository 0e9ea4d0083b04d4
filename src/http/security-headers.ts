import helmet from '@fastify/helmet';
import type { App, HttpDeps } from './deps.ts';

/** HSTS for a year, where TLS is somebody's duty: production. */
const HSTS_SECONDS = 365 * 24 * 3600;

/** What an answer without any page needs at least. */
export const BARE_SECURITY_HEADERS = {
  'x-content-type-options': 'nosniff',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
};

/** A policy for a page that loads nothing from elsewhere but photos; routes that serve other pages set their own. */
export async function setSecurityHeaders(
  app: App,
  { cdnOrigin, production }: Pick<HttpDeps, 'cdnOrigin' | 'production'>,
): Promise<void> {
  const self = "'self'";
  const none = "'none'";
  await app.register(helmet, {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: [self],
        imgSrc: [self, 'data:', 'blob:', () => cdnOrigin()],
        connectSrc: [self, () => cdnOrigin()],
        workerSrc: [self, 'blob:'],
        objectSrc: [none],
        baseUri: [none],
        formAction: [self],
        frameAncestors: [none],
        ...(production && { upgradeInsecureRequests: [] }),
      },
    },
    strictTransportSecurity: production ? { maxAge: HSTS_SECONDS, includeSubDomains: false } : false,
    crossOriginEmbedderPolicy: false,
    referrerPolicy: { policy: 'no-referrer' },
    xFrameOptions: { action: 'deny' },
  });

  app.addHook('onSend', async (request, reply) => {
    if (!reply.hasHeader('cache-control') && !request.url.startsWith('/assets/'))
      reply.header('cache-control', 'no-store');
  });
}
