import { z } from 'zod';
import type { Authenticator } from '../auth.ts';
import type { App } from '../deps.ts';
import { problems } from '../responses.ts';
import { Role, UserIdParam } from '../schemas.ts';

/** Tokens for the asking: registered in development only. */
export function devRoutes(app: App, authenticator: Authenticator): void {
  app.post(
    '/dev/token',
    {
      schema: {
        tags: ['Development'],
        operationId: 'createDevelopmentToken',
        summary: 'A token for anybody, in development only',

        body: z.object({ sub: UserIdParam, roles: z.array(Role).max(4).default(['seller']) }),
        response: { 200: z.object({ token: z.string(), expiresAt: z.string() }), ...problems() },
      },
    },
    async (request) => authenticator.issueDevToken(request.body.sub, request.body.roles),
  );
}
