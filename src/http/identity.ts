import type { FastifyRequest } from 'fastify';
import type { Principal } from '#src/domain/access.ts';
import { StorageError } from '#src/domain/errors.ts';
import type { Authenticator } from './auth.ts';
import type { App } from './deps.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Who asks; null without a token, which only open routes let through. */
    who: Principal | null;
  }
  interface FastifyContextConfig {
    /** Needs no token. Every other route under /v1 answers 401 without one. */
    open?: boolean;
  }
}

/**
 * Finds out who asks before a body is read. A route needs a token unless its configuration says `open`; a token
 * that is wrong is refused everywhere, so that an expired one is never mistaken for "nobody".
 */
export function identifyCallers(app: App, authenticator: Authenticator): void {
  app.decorateRequest('who', null);
  app.addHook('onRequest', async (request) => {
    if (!request.url.startsWith('/v1/')) return;
    request.who = await authenticator.principalOf(request.headers.authorization);
    if (
      request.who === null &&
      request.routeOptions.config.open !== true &&
      request.routeOptions.url !== undefined
    )
      throw missingToken();
  });
  app.addHook('onRoute', (route) => {
    if (route.schema === undefined || !route.url.startsWith('/v1/')) return;
    const token = { bearer: [] };
    route.schema = { ...route.schema, security: route.config?.open === true ? [{}, token] : [token] };
  });
}

/** The caller of a route that needs one. */
export function callerOf(request: FastifyRequest): Principal {
  if (request.who === null) throw missingToken();
  return request.who;
}

function missingToken(): StorageError {
  return new StorageError('UNAUTHENTICATED', 'This needs a token: send "Authorization: Bearer <token>".', {
    details: { tokenMissing: true },
  });
}
