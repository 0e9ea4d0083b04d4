import { existsSync } from 'node:fs';
import { join } from 'node:path';
import fastifyStatic from '@fastify/static';
import type { FastifyRequest } from 'fastify';
import { StorageError } from '#src/domain/errors.ts';
import type { App } from '../deps.ts';
import { sendProblem } from '../problems.ts';

/** Paths that are never a page of the web app. */
const NOT_PAGES = /^\/(v1|cdn|store|dev|docs|assets|healthz|readyz|metrics|openapi\.json)(\/|$|\?)/;

/**
 * The built web app: hashed assets for ever, everything else asked for again each time; any path that wants HTML and
 * is nothing else gets the app, which knows its own pages.
 */
export async function webRoutes(app: App, webDir: string | null): Promise<void> {
  const built = webDir !== null && existsSync(join(webDir, 'index.html')) ? webDir : null;
  if (built !== null)
    await app.register(fastifyStatic, {
      root: built,
      index: ['index.html'],
      wildcard: false,
      cacheControl: false,
      setHeaders(reply, path) {
        const hashed = path.startsWith(join(built, 'assets'));
        reply.header('cache-control', hashed ? 'public, max-age=31536000, immutable' : 'no-cache');
      },
    });

  app.setNotFoundHandler(async (request, reply) => {
    if (built !== null && wantsPage(request)) return reply.sendFile('index.html');
    return sendProblem(request, reply, notFound(request, built === null));
  });

  function notFound(request: FastifyRequest, unbuilt: boolean): StorageError {
    const isRoot = request.url === '/' && unbuilt;
    return new StorageError(
      'NOT_FOUND',
      isRoot
        ? 'The web app is not built; the API is described at /docs.'
        : 'There is nothing at this address.',
    );
  }
}

function wantsPage(request: FastifyRequest): boolean {
  const isRead = request.method === 'GET' || request.method === 'HEAD';
  return isRead && !NOT_PAGES.test(request.url) && (request.headers.accept ?? '').includes('text/html');
}
