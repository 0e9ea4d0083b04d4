import { z } from 'zod';
import type { App } from '../deps.ts';
import { UPLOAD_ANSWERS } from '../documented.ts';
import { callerOf } from '../identity.ts';
import { NO_CONTENT, problems, UPLOAD_PROBLEMS } from '../responses.ts';
import { Photo, PhotoParams, UserParams } from '../schemas.ts';
import { answerUpload, type UploadContext } from '../upload-answer.ts';

/** Identity documents: private, encrypted, audited, and handed out as attachments only. */
export function documentRoutes(app: App, context: UploadContext): void {
  const { files } = context;
  const ofUser = '/v1/users/:userId/verification-documents';
  const tags = ['Verification documents'];

  app.post(
    ofUser,
    {
      schema: {
        tags,
        operationId: 'uploadVerificationDocument',
        summary: 'Upload an identity document (JPEG, PNG, WebP, PDF)',
        sends: ['Prefer', 'Idempotency-Key'],
        answers: UPLOAD_ANSWERS,
        description: 'multipart/form-data, field `file`. Encrypted as it arrives; never public.',
        consumes: ['multipart/form-data'],
        params: UserParams,
        response: { 201: Photo, 202: Photo, ...problems(...UPLOAD_PROBLEMS, 'KEYS_UNAVAILABLE') },
      },
    },
    async (request, reply) => {
      const who = callerOf(request);
      const { code, photo } = await answerUpload(request, reply, context, (file, options) =>
        files.uploadVerificationDocument(who, request.params.userId, file, options),
      );
      return reply.code(code).send(photo);
    },
  );

  app.get(
    ofUser,
    {
      schema: {
        tags,
        operationId: 'listVerificationDocuments',
        summary: 'Documents of a user',

        params: UserParams,
        response: {
          200: z.object({ documents: z.array(Photo).readonly() }),
          ...problems('FORBIDDEN', 'NOT_FOUND'),
        },
      },
    },
    async (request) => ({
      documents: await files.listVerificationDocuments(callerOf(request), request.params.userId),
    }),
  );

  app.get(
    '/v1/verification-documents/:id/content',
    {
      config: { costly: true },
      schema: {
        tags,
        operationId: 'getVerificationDocumentContent',
        summary: 'The document itself',
        answers: {
          200: {
            description: 'The document.',
            headers: ['Content-Disposition'],
            content: 'application/octet-stream',
          },
        },
        params: PhotoParams,
        response: {
          ...problems(
            'FORBIDDEN',
            'NOT_FOUND',
            'CONFLICT',
            'OBJECT_ARCHIVED',
            'STORAGE_UNAVAILABLE',
            'KEYS_UNAVAILABLE',
          ),
        },
      },
    },
    async (request, reply) => {
      const document = await files.openVerificationDocument(callerOf(request), request.params.id);
      reply.headers({
        'content-type': document.contentType,
        'content-disposition': attachment(document.filename),
        'content-security-policy': "default-src 'none'; sandbox",
        'cache-control': 'no-store',
      });
      return reply.send(document.body);
    },
  );

  app.delete(
    '/v1/verification-documents/:id',
    {
      schema: {
        tags,
        operationId: 'deleteVerificationDocument',
        summary: 'Destroy a document and its key',

        params: PhotoParams,
        response: { 204: NO_CONTENT, ...problems('FORBIDDEN', 'NOT_FOUND', 'LEGAL_HOLD') },
      },
    },
    async (request, reply) => {
      await files.deleteVerificationDocument(callerOf(request), request.params.id);
      return reply.code(204).send(null);
    },
  );
}

/** RFC 6266: a plain name for old clients, the real one in UTF-8. */
export function attachment(filename: string): string {
  const plain = filename.replaceAll(/[^\w .-]/g, '_').slice(0, 100) || 'document';
  const full = encodeURIComponent(filename.slice(0, 200).toWellFormed()).replaceAll(
    /['()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `attachment; filename="${plain}"; filename*=UTF-8''${full}`;
}
