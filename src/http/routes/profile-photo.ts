import type { App } from '../deps.ts';
import { UPLOAD_ANSWERS } from '../documented.ts';
import { callerOf } from '../identity.ts';
import { NO_CONTENT, problems, UPLOAD_PROBLEMS } from '../responses.ts';
import { Photo, UserParams } from '../schemas.ts';
import { answerUpload, type UploadContext } from '../upload-answer.ts';

/** The photo of a user. */
export function profilePhotoRoutes(app: App, context: UploadContext): void {
  const { files } = context;
  const url = '/v1/users/:userId/profile-photo';
  const tags = ['Profile photo'];

  app.put(
    url,
    {
      schema: {
        tags,
        operationId: 'replaceProfilePhoto',
        summary: 'Replace the profile photo',
        sends: ['Prefer', 'Idempotency-Key'],
        answers: UPLOAD_ANSWERS,
        description: 'multipart/form-data, field `file`. The present one stays until the new one is public.',
        consumes: ['multipart/form-data'],
        params: UserParams,
        response: { 201: Photo, 202: Photo, ...problems(...UPLOAD_PROBLEMS) },
      },
    },
    async (request, reply) => {
      const who = callerOf(request);
      const { code, photo } = await answerUpload(request, reply, context, (file, options) =>
        files.uploadProfilePhoto(who, request.params.userId, file, options),
      );
      return reply.code(code).send(photo);
    },
  );

  app.get(
    url,
    {
      config: { open: true },
      schema: {
        tags,
        operationId: 'getProfilePhoto',
        summary: 'The profile photo',

        params: UserParams,
        response: { 200: Photo, ...problems('NOT_FOUND') },
      },
    },
    async (request) => files.getProfilePhoto(request.who, request.params.userId),
  );

  app.delete(
    url,
    {
      schema: {
        tags,
        operationId: 'deleteProfilePhoto',
        summary: 'Delete the profile photo',

        params: UserParams,
        response: { 204: NO_CONTENT, ...problems('FORBIDDEN', 'NOT_FOUND', 'LEGAL_HOLD') },
      },
    },
    async (request, reply) => {
      await files.deleteProfilePhoto(callerOf(request), request.params.userId);
      return reply.code(204).send(null);
    },
  );
}
