import { z } from 'zod';
import type { App, SignedStore } from '../deps.ts';
import { problems } from '../responses.ts';

/** What the bucket does on S3: answers signed URLs, without a token. Always as a download. */
export function storeRoutes(app: App, { store, verifyGetUrl }: SignedStore): void {
  app.get(
    '/store/*',
    {
      schema: {
        tags: ['Signed URLs'],
        operationId: 'getSignedObject',
        summary: 'The object that a signed URL opens',
        answers: {
          200: {
            description: 'The object.',
            headers: ['ETag', 'Content-Disposition'],
            content: 'application/octet-stream',
          },
        },
        params: z.object({ '*': z.string() }),
        querystring: z.object({ expires: z.string(), signature: z.string() }),
        response: { ...problems('FORBIDDEN', 'NOT_FOUND', 'OBJECT_ARCHIVED', 'STORAGE_UNAVAILABLE') },
      },
    },
    async (request, reply) => {
      const key = verifyGetUrl({ key: request.params['*'], ...request.query });
      const { info, body } = await store.get(key);
      reply.headers({
        'content-type': info.contentType,
        'content-length': info.bytes,
        'content-disposition': 'attachment',
        'content-security-policy': "default-src 'none'; sandbox",
        'cache-control': 'private, no-store',
        etag: `"${info.etag}"`,
      });
      return reply.send(body);
    },
  );
}
